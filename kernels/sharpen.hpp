#pragma once

#include <cmath>

#include "kernels/rows.hpp"

namespace paws::kernels
{
/// Sharpening of one row, ρ(p)_k = p_k^(1/T) / Σ_i p_i^(1/T) (PAWS, section 3), by the team that has it.
/// Rows are scaled by their largest entry first, so that a small T underflows to zeros and not to 0/0.
template <class Scalar, class Exec>
struct RowSharpener
{
    Scalar exponent;  ///< 1/T
    Scalar largest;   ///< of the row
    Scalar inverse;   ///< 1 / Σ (p_i / largest)^(1/T)

    template <class Team>
    KOKKOS_INLINE_FUNCTION RowSharpener(const Team& team, Scalar exponent_, const Scalar* row, int classes)
        : exponent(exponent_),
          largest(largest_of_row<Scalar, Exec>(team, 0, classes, 0, [&](int k) { return row[k]; })),
          inverse(1 / sum_row<Scalar, Exec>(team, 0, classes, [&](int k) { return power(row[k]); }))
    {
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
    using Team = typename Kokkos::TeamPolicy<Exec>::member_type;
    const auto classes = static_cast<int>(p.extent(1));
    const auto exponent = static_cast<Scalar>(1 / temperature);
    Kokkos::parallel_for(
        "paws::sharpen::rows", row_policy(exec, p.extent(0)), KOKKOS_LAMBDA(const Team& team) {
            const int n = team.league_rank();
            const Scalar* const row = &p(n, 0);
            Scalar* const sharpened = &out(n, 0);
            const RowSharpener<Scalar, Exec> rho(team, exponent, row, classes);
            team.team_barrier();
            for_row<Exec>(team, 0, classes, [&](int k) { sharpened[k] = rho.sharpened(row[k]); });
        });
}
}  // namespace paws::kernels
