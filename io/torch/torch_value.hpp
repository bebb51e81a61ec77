#pragma once

// What files of torch.save hold, as plain data.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/checkpoint/checkpoint_file.hpp"

namespace paws::io
{
enum class TorchType
{
    float32,
    float64,
    float16,
    bfloat16,
    int64,
    int32,
    int16,
    int8,
    uint8,
    boolean
};

/// Bytes of one element.
std::size_t element_size(TorchType type);
/// What PyTorch calls a storage of such elements: "FloatStorage".
std::string_view storage_name(TorchType type);
std::optional<TorchType> type_of_storage(std::string_view name);

struct TorchTensor
{
    TorchType type = TorchType::float32;
    std::vector<std::size_t> shape;  ///< empty for a single number
    std::vector<std::byte> bytes;    ///< row-major

    bool operator==(const TorchTensor&) const = default;
};

/// Its numbers in a type that checkpoints have, exactly: float16 and bfloat16 become float32; whole numbers int64, but
/// bytes and booleans stay bytes.
Array widened(TorchTensor tensor);
/// The way back. Throws std::invalid_argument if `array` is not what widened() makes of that type, number by number.
TorchTensor narrowed(const Array& array, TorchType type);
/// The type of the same name.
TorchType torch_type(ElementType type);

/// A value of Python. Dicts keep their order.
struct TorchValue
{
    enum class Kind
    {
        none,
        boolean,    ///< integer: 0 or 1
        integer,    ///< integer
        real,       ///< real
        text,       ///< text: UTF-8
        bytes,      ///< text
        list,       ///< items
        tuple,      ///< items
        dict,       ///< keys, and items: their values
        ordered,    ///< the same, of collections.OrderedDict; state: its attributes (a dict), if it has any
        tensor,     ///< tensor
        reference,  ///< stands for an array elsewhere, which text names; integer: the TorchType
    };

    Kind kind = Kind::none;
    std::int64_t integer = 0;
    double real = 0;
    std::string text;
    std::vector<TorchValue> keys;
    std::vector<TorchValue> items;
    std::vector<TorchValue> state;
    TorchTensor tensor;

    static TorchValue of(bool value);
    static TorchValue of(std::int64_t value);
    static TorchValue of(double value);
    static TorchValue of(std::string value);
    /// Against the conversion to bool.
    static TorchValue of(const char* value) { return of(std::string(value)); }
    static TorchValue of(TorchTensor value);
    static TorchValue empty(Kind kind);
    static TorchValue reference(std::string name, TorchType type);

    bool is_dict() const { return kind == Kind::dict || kind == Kind::ordered; }
    bool is_number() const { return kind == Kind::integer || kind == Kind::real; }

    /// The value of a dict's entry, or null if this is no dict or has none.
    const TorchValue* find(std::string_view key) const;
    const TorchValue* find(std::int64_t key) const;
    TorchValue* find(std::string_view key);
    /// Adds an entry to a dict.
    TorchValue& add(TorchValue key, TorchValue value);

    bool operator==(const TorchValue&) const = default;
};
}  // namespace paws::io
