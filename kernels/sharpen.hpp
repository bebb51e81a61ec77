#pragma once

#include <cmath>

#include "kernels/policies.hpp"

namespace paws::kernels
{
/// Sharpening of one row, ρ(p)_k = p_k^(1/T) / Σ_i p_i^(1/T) (PAWS, section 3), by one thread: classes are few.
/// Rows are scaled by their largest entry first, so that a small T underflows to zeros and not to 0/0.
template <class Scalar>
struct RowSharpener
{
    Scalar exponent;     ///< 1/T
    Scalar largest = 0;  ///< of the row
    Scalar inverse = 0;  ///< 1 / Σ (p_i / largest)^(1/T)

    template <class Row>
    KOKKOS_INLINE_FUNCTION RowSharpener(Scalar exponent_, const Row& row, int classes) : exponent(exponent_)
    {
        for (int k = 0; k < classes; ++k)
        {
            largest = row(k) > largest ? row(k) : largest;
        }
        Scalar sum = 0;
        for (int k = 0; k < classes; ++k)
        {
            sum += power(row(k));
        }
        inverse = 1 / sum;
    }

    /// (p / largest)^(1/T); 1/T is 4 in every published setting, which two products compute faster than pow.
    KOKKOS_INLINE_FUNCTION Scalar power(Scalar p) const
    {
        const Scalar ratio = p / largest;
        if (exponent == Scalar(4))
        {
            const Scalar square = ratio * ratio;
            return square * square;
        }
        using std::pow;
        return pow(ratio, exponent);
    }

    KOKKOS_INLINE_FUNCTION Scalar sharpened(Scalar p) const { return power(p) * inverse; }

    /// (∂ρ_k / ∂p_k with the denominator held fixed) = (1/T) p^(1/T − 1) / Σ; finite at p = 0 for T ≤ 1.
    KOKKOS_INLINE_FUNCTION Scalar slope(Scalar p) const
    {
        if (!(p > 0))
        {
            return exponent == Scalar(1) ? inverse / largest : Scalar(0);
        }
        return exponent * power(p) / p * inverse;
    }
};

/// out[n, :] = ρ(p[n, :]); both [N, K], may be the same array.
template <class Exec, class InView, class OutView>
void sharpen(const Exec& exec, const InView& p, double temperature, const OutView& out)
{
    check_view<Exec, InView, 2>();
    check_view<Exec, OutView, 2>();
    using Scalar = typename OutView::non_const_value_type;
    const auto classes = static_cast<int>(p.extent(1));
    const auto exponent = static_cast<Scalar>(1 / temperature);
    Kokkos::parallel_for(
        "paws::sharpen::rows", Kokkos::RangePolicy<Exec>(exec, 0, p.extent(0)), KOKKOS_LAMBDA(std::int64_t n) {
            const auto row = Kokkos::subview(p, n, Kokkos::ALL());
            const RowSharpener<Scalar> rho(exponent, row, classes);
            for (int k = 0; k < classes; ++k)
            {
                out(n, k) = rho.sharpened(row(k));
            }
        });
}
}  // namespace paws::kernels
