#pragma once

#include <Kokkos_Core.hpp>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace paws::kernels
{
/// Kokkos' mathematical functions, callable in kernels, where this version of Kokkos keeps them.
#if KOKKOS_VERSION < 30700
namespace math = Kokkos::Experimental;
#else
namespace math = Kokkos;
#endif

/// e^x for x ≤ 0, the case of a softmax: within 2 units in the last place, 0 below −87 (where float leaves its normal
/// range), NaN for NaN. Without calls and branches, so that compilers turn a loop of them into vector code, which they
/// cannot do with the library's exp: x = n ln 2 + r, a polynomial for e^r on |r| ≤ ln 2 / 2, and n in the exponent.
KOKKOS_INLINE_FUNCTION float exp_of_non_positive(float x)
{
    constexpr float to_integer = 12582912.0F;  // 1.5 · 2²³: adding it leaves round(value) in the low bits
    constexpr float log2_e = 1.44269504F;
    constexpr float ln2_high = 0.693145752F;  // exact times any |n| < 2⁸
    constexpr float ln2_low = 1.42860677e-6F;
    const float shifted = x * log2_e + to_integer;
    const float n = shifted - to_integer;
    const float r = (x - n * ln2_high) - n * ln2_low;
    // Taylor's coefficients up to 1/7!, whose remainder is below half a unit at ln 2 / 2.
    float polynomial = 1.98412698e-4F;
    polynomial = polynomial * r + 1.38888889e-3F;
    polynomial = polynomial * r + 8.33333333e-3F;
    polynomial = polynomial * r + 4.16666667e-2F;
    polynomial = polynomial * r + 1.66666667e-1F;
    polynomial = polynomial * r + 0.5F;
    polynomial = polynomial * r + 1.0F;
    polynomial = polynomial * r + 1.0F;
    std::uint32_t bits = 0;
    std::memcpy(&bits, &shifted, sizeof(bits));
    bits = (bits + 127U) << 23U;
    float power = 0;
    std::memcpy(&power, &bits, sizeof(power));
    const float result = polynomial * power;
    return x < -87.0F ? 0.0F : result;
}

KOKKOS_INLINE_FUNCTION double exp_of_non_positive(double x)
{
    using std::exp;
    return exp(x);
}
}  // namespace paws::kernels
