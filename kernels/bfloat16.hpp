#pragma once

#include <Kokkos_Macros.hpp>
#include <cstdint>
#include <cstring>

namespace paws::kernels
{
/// The upper half of a float32: storage only, arithmetic is done in float.
struct bfloat16
{
    std::uint16_t bits;
};
static_assert(sizeof(bfloat16) == 2);

/// What a kernel computes in for values stored as T.
template <class T>
struct Compute
{
    using type = T;
};
template <>
struct Compute<bfloat16>
{
    using type = float;
};

template <class T>
KOKKOS_INLINE_FUNCTION T load(T value)
{
    return value;
}

KOKKOS_INLINE_FUNCTION float load(bfloat16 value)
{
    const std::uint32_t wide = static_cast<std::uint32_t>(value.bits) << 16;
    float result = 0;
    std::memcpy(&result, &wide, sizeof(result));
    return result;
}

template <class T>
KOKKOS_INLINE_FUNCTION void store(T& place, T value)
{
    place = value;
}

/// Rounds to nearest, ties to even, as LibTorch does; a NaN stays one.
KOKKOS_INLINE_FUNCTION void store(bfloat16& place, float value)
{
    std::uint32_t wide = 0;
    std::memcpy(&wide, &value, sizeof(wide));
    const std::uint32_t rounded = (wide + 0x7FFFU + ((wide >> 16) & 1U)) >> 16;
    place.bits = static_cast<std::uint16_t>(value == value ? rounded : 0x7FC0U);
}
}  // namespace paws::kernels
