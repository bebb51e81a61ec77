#pragma once

// Between pickles and the values of torch_value.hpp.

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "io/pickle.hpp"
#include "io/pickle_writer.hpp"
#include "io/torch_value.hpp"

namespace paws::io
{
/// The names that pickles of torch.save use; for the `allowed_globals` of pickle::read().
std::span<const std::string_view> torch_globals();

/// Where a tensor's elements lie.
struct TensorPlace
{
    TorchType type = TorchType::float32;
    std::string storage;         ///< the storage's key
    std::uint64_t elements = 0;  ///< of the storage
    std::uint64_t offset = 0;    ///< of the tensor in it; like the strides, in elements
    std::vector<std::size_t> shape;
    std::vector<std::uint64_t> strides;
};

/// What a pickle's persistent id says of a storage: its type, key and elements.
TensorPlace storage_of(const pickle::Value& persistent, const std::string& source);

/// How tensors, and persistent ids that belong to no tensor, become values.
struct TorchReader
{
    std::function<TorchValue(const TensorPlace&)> tensor;
    std::function<TorchValue(const pickle::Value& persistent)> persistent;
};

/// Throws Error for what is no such value, or is nested deeper than 100 levels, or large out of all proportion.
/// Parameters become their tensors. Bytes that are UTF-8 become text: they are what Python 2 wrote for text.
TorchValue from_pickle(const pickle::Value& value, const std::string& source, const TorchReader& reader);

/// Writes one value; `tensor` writes tensors and references.
using TensorWriter = std::function<void(pickle::Writer&, const TorchValue&)>;
void to_pickle(pickle::Writer& writer, const TorchValue& value, const TensorWriter& tensor);

/// A value of which all tensors are references, as a pickle of its own, in which ("array", NAME, STORAGE) is their
/// persistent id.
std::string pickled_structure(const TorchValue& value);
/// The way back. Throws Error, naming `source`.
TorchValue read_structure(std::string_view pickle, const std::string& source);
}  // namespace paws::io
