#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "io/torch/torch_value.hpp"

namespace paws::io
{
namespace
{
struct TypeEntry
{
    TorchType type;
    std::string_view storage;
    std::size_t size;
    ElementType wide;
};

constexpr std::array types = {
    TypeEntry{TorchType::float32, "FloatStorage", 4, ElementType::float32},
    TypeEntry{TorchType::float64, "DoubleStorage", 8, ElementType::float64},
    TypeEntry{TorchType::float16, "HalfStorage", 2, ElementType::float32},
    TypeEntry{TorchType::bfloat16, "BFloat16Storage", 2, ElementType::float32},
    TypeEntry{TorchType::int64, "LongStorage", 8, ElementType::int64},
    TypeEntry{TorchType::int32, "IntStorage", 4, ElementType::int64},
    TypeEntry{TorchType::int16, "ShortStorage", 2, ElementType::int64},
    TypeEntry{TorchType::int8, "CharStorage", 1, ElementType::int64},
    TypeEntry{TorchType::uint8, "ByteStorage", 1, ElementType::uint8},
    TypeEntry{TorchType::boolean, "BoolStorage", 1, ElementType::uint8},
};

const TypeEntry& entry(TorchType type)
{
    return *std::find_if(types.begin(), types.end(), [&](const TypeEntry& known) { return known.type == type; });
}

float float_from_bfloat16(std::uint16_t bits)
{
    return std::bit_cast<float>(std::uint32_t{bits} << 16);
}

std::uint16_t bfloat16_from_float(float value)
{
    return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16);
}

/// IEEE 754's binary16: sign, 5 bits of exponent, 10 of fraction.
float float_from_half(std::uint16_t bits)
{
    const std::uint32_t sign = (bits & 0x8000u) << 16;
    const std::uint32_t exponent = bits >> 10 & 0x1fu;
    const std::uint32_t fraction = bits & 0x3ffu;
    if (exponent == 0)
    {
        const float magnitude = std::ldexp(static_cast<float>(fraction), -24);
        return std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) | sign);
    }
    const std::uint32_t wide_exponent = exponent == 0x1f ? 0xff : exponent + (127 - 15);
    return std::bit_cast<float>(sign | wide_exponent << 23 | fraction << 13);
}

/// Of a number that float_from_half() gave.
std::uint16_t half_from_float(float value)
{
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000u);
    const std::uint32_t exponent = bits >> 23 & 0xffu;
    if (exponent == 0xff)
    {
        return static_cast<std::uint16_t>(sign | 0x7c00u | (bits >> 13 & 0x3ffu));
    }
    if (exponent < 127 - 14)
    {
        return static_cast<std::uint16_t>(sign | static_cast<std::uint32_t>(std::ldexp(std::abs(value), 24)));
    }
    return static_cast<std::uint16_t>(sign | (exponent - (127 - 15)) << 10 | (bits >> 13 & 0x3ffu));
}

template <class From, class To>
std::vector<std::byte> converted(const std::vector<std::byte>& bytes, To (*convert)(From))
{
    const std::size_t count = bytes.size() / sizeof(From);
    std::vector<std::byte> out(count * sizeof(To));
    for (std::size_t i = 0; i < count; ++i)
    {
        From from;
        std::memcpy(&from, bytes.data() + i * sizeof(From), sizeof from);
        const To to = convert(from);
        std::memcpy(out.data() + i * sizeof(To), &to, sizeof to);
    }
    return out;
}

template <class From, class To>
To cast(From value)
{
    return static_cast<To>(value);
}
}  // namespace

std::size_t element_size(TorchType type)
{
    return entry(type).size;
}

std::string_view storage_name(TorchType type)
{
    return entry(type).storage;
}

std::optional<TorchType> type_of_storage(std::string_view name)
{
    const auto found = std::find_if(types.begin(), types.end(), [&](const TypeEntry& t) { return t.storage == name; });
    return found == types.end() ? std::nullopt : std::optional(found->type);
}

TorchType torch_type(ElementType type)
{
    switch (type)
    {
        case ElementType::float32:
            return TorchType::float32;
        case ElementType::float64:
            return TorchType::float64;
        case ElementType::int64:
            return TorchType::int64;
        case ElementType::uint8:
            return TorchType::uint8;
    }
    return TorchType::float32;
}

Array widened(TorchTensor tensor)
{
    Array array{entry(tensor.type).wide, std::move(tensor.shape), {}};
    switch (tensor.type)
    {
        case TorchType::float16:
            array.bytes = converted(tensor.bytes, float_from_half);
            break;
        case TorchType::bfloat16:
            array.bytes = converted(tensor.bytes, float_from_bfloat16);
            break;
        case TorchType::int32:
            array.bytes = converted(tensor.bytes, cast<std::int32_t, std::int64_t>);
            break;
        case TorchType::int16:
            array.bytes = converted(tensor.bytes, cast<std::int16_t, std::int64_t>);
            break;
        case TorchType::int8:
            array.bytes = converted(tensor.bytes, cast<std::int8_t, std::int64_t>);
            break;
        default:
            array.bytes = std::move(tensor.bytes);
    }
    return array;
}

TorchTensor narrowed(const Array& array, TorchType type)
{
    if (array.type != entry(type).wide)
    {
        throw std::invalid_argument("an array is not of the type that it is to be narrowed from");
    }
    TorchTensor tensor{type, array.shape, {}};
    switch (type)
    {
        case TorchType::float16:
            tensor.bytes = converted(array.bytes, half_from_float);
            break;
        case TorchType::bfloat16:
            tensor.bytes = converted(array.bytes, bfloat16_from_float);
            break;
        case TorchType::int32:
            tensor.bytes = converted(array.bytes, cast<std::int64_t, std::int32_t>);
            break;
        case TorchType::int16:
            tensor.bytes = converted(array.bytes, cast<std::int64_t, std::int16_t>);
            break;
        case TorchType::int8:
            tensor.bytes = converted(array.bytes, cast<std::int64_t, std::int8_t>);
            break;
        default:
            tensor.bytes = array.bytes;
            return tensor;
    }
    if (widened(tensor).bytes != array.bytes)
    {
        throw std::invalid_argument("an array has numbers that the type that it is to be narrowed to does not hold");
    }
    return tensor;
}
}  // namespace paws::io
