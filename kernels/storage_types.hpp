#pragma once

#include <Kokkos_Macros.hpp>
#include <cstdint>
#include <cstring>

#ifdef __CUDACC__
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#endif

// Types of two bytes that images and gradients may be stored in; kernels compute in float. On the host the
// conversions are plain integer arithmetic without branches, which compilers turn into vector code for any instruction
// set; a GPU has an instruction for each, without which they would cost a kernel more than its memory does. Both give
// the same bits, but for the payload of NaNs.

namespace paws::kernels
{
/// The upper half of a float32 (8 bits of exponent, 7 of fraction).
struct bfloat16
{
    std::uint16_t bits;
};
static_assert(sizeof(bfloat16) == 2);

/// IEEE 754 binary16 (5 bits of exponent, 10 of fraction), as c10::Half stores it.
struct float16
{
    std::uint16_t bits;
};
static_assert(sizeof(float16) == 2);

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
template <>
struct Compute<float16>
{
    using type = float;
};

namespace detail
{
KOKKOS_INLINE_FUNCTION float float_of_bits(std::uint32_t bits)
{
    float value = 0;
    std::memcpy(&value, &bits, sizeof(value));
    return value;
}

KOKKOS_INLINE_FUNCTION std::uint32_t bits_of_float(float value)
{
    std::uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof(bits));
    return bits;
}
}  // namespace detail

template <class T>
KOKKOS_INLINE_FUNCTION T load(T value)
{
    return value;
}

KOKKOS_INLINE_FUNCTION float load(bfloat16 value)
{
    return detail::float_of_bits(static_cast<std::uint32_t>(value.bits) << 16);
}

KOKKOS_INLINE_FUNCTION float load(float16 value)
{
#ifdef __CUDA_ARCH__
    return __half2float(__ushort_as_half(value.bits));
#else
    const std::uint32_t sign = static_cast<std::uint32_t>(value.bits & 0x8000U) << 16;
    const std::uint32_t magnitude = value.bits & 0x7FFFU;
    // Moved to a float's place the exponent is 112 too small; the product puts that right for subnormals as well.
    const float scaled = detail::float_of_bits(magnitude << 13) * 0x1p112F;
    // Infinities and NaNs have all bits of the exponent set here and there.
    const std::uint32_t special = magnitude >= 0x7C00U ? 0x7F800000U : 0U;
    return detail::float_of_bits(detail::bits_of_float(scaled) | special | sign);
#endif
}

template <class T>
KOKKOS_INLINE_FUNCTION void store(T& place, T value)
{
    place = value;
}

/// Rounds to nearest, ties to even, as LibTorch does; a NaN stays one.
KOKKOS_INLINE_FUNCTION void store(bfloat16& place, float value)
{
#ifdef __CUDA_ARCH__
    place.bits = __bfloat16_as_ushort(__float2bfloat16_rn(value));
#else
    const std::uint32_t wide = detail::bits_of_float(value);
    const std::uint32_t rounded = (wide + 0x7FFFU + ((wide >> 16) & 1U)) >> 16;
    place.bits = static_cast<std::uint16_t>(value == value ? rounded : 0x7FC0U);
#endif
}

/// Rounds to nearest, ties to even; beyond 65504 to infinity; a NaN stays one.
KOKKOS_INLINE_FUNCTION void store(float16& place, float value)
{
#ifdef __CUDA_ARCH__
    place.bits = __half_as_ushort(__float2half_rn(value));
#else
    const std::uint32_t wide = detail::bits_of_float(value);
    const std::uint32_t magnitude = wide & 0x7FFFFFFFU;
    // The exponent moved by −112, the carry of the rounding runs into it.
    const std::uint32_t normal = (magnitude + 0xC8000FFFU + ((magnitude >> 13) & 1U)) >> 13;
    // Adding a half lets the addition itself round to multiples of 2⁻²⁴, the spacing of the subnormals.
    const std::uint32_t subnormal = detail::bits_of_float(detail::float_of_bits(magnitude) + 0.5F) - 0x3F000000U;
    std::uint32_t half = magnitude < 0x38800000U ? subnormal : normal;
    half = magnitude >= 0x47800000U ? 0x7C00U : half;
    half = magnitude > 0x7F800000U ? 0x7E00U : half;
    place.bits = static_cast<std::uint16_t>(half | ((wide >> 16) & 0x8000U));
#endif
}
}  // namespace paws::kernels
