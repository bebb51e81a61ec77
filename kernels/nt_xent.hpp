#pragma once

#include <cmath>
#include <limits>

#include "kernels/math.hpp"
#include "kernels/rows.hpp"

namespace paws::kernels
{
/// Where two views of each of B images stand among the columns of a similarity matrix: the first views from
/// `first_column` on, then the second views. Row n of the matrix is view `first_view` + n of these 2B.
struct ViewPairs
{
    int images;
    int first_view;
    int first_column;

    /// The column of the view itself.
    KOKKOS_INLINE_FUNCTION int own(int n) const { return first_column + first_view + n; }
    /// The column of the other view of the same image.
    KOKKOS_INLINE_FUNCTION int partner(int n) const
    {
        return first_view + n < images ? own(n) + images : own(n) - images;
    }
};

/// NT-Xent (SimCLR, arXiv 2002.05709, eq. 1): losses[n] = log Σ_{j ≠ own} e^(s_nj / τ) − s_n,partner / τ.
/// similarities [N, M]: read, then overwritten by the gradient ∂ losses[n] / ∂ s_nj = (softmax_j − [j is the partner])
/// / τ, which is 0 in the view's own column; losses [N]: written. The gradient costs no pass of its own here, and
/// nobody but the loss needs the similarities.
template <class Exec, class SimilarityView, class LossView>
void nt_xent(const Exec& exec, const SimilarityView& similarities, const ViewPairs& pairs, double temperature,
             const LossView& losses)
{
    check_view<Exec, SimilarityView, 2>();
    check_view<Exec, LossView, 1>();
    using Scalar = typename LossView::non_const_value_type;
    using Team = typename Kokkos::TeamPolicy<Exec>::member_type;
    const auto columns = static_cast<int>(similarities.extent(1));
    const auto inverse_temperature = static_cast<Scalar>(1 / temperature);
    constexpr Scalar nothing = -std::numeric_limits<Scalar>::infinity();
    Kokkos::parallel_for(
        "paws::nt_xent::rows", row_policy(exec, similarities.extent(0)), KOKKOS_LAMBDA(const Team& team) {
            using std::log;
            const int n = team.league_rank();
            auto* const row = &similarities(n, 0);
            const Scalar of_partner = row[pairs.partner(n)];
            team.team_barrier();
            Kokkos::single(Kokkos::PerTeam(team), [&]() { row[pairs.own(n)] = nothing; });
            team.team_barrier();
            const Scalar largest =
                largest_of_row<Scalar, Exec>(team, 0, columns, nothing, [&](int j) { return row[j]; });
            const Scalar total = sum_row<Scalar, Exec>(
                team, 0, columns,
                [&](int j)
                {
                    const Scalar weight = exp_of_non_positive((row[j] - largest) * inverse_temperature);
                    row[j] = weight;
                    return weight;
                });
            team.team_barrier();
            const Scalar scale = inverse_temperature / total;
            for_row<Exec>(team, 0, columns, [&](int j) { row[j] *= scale; });
            team.team_barrier();
            Kokkos::single(Kokkos::PerTeam(team),
                           [&]()
                           {
                               row[pairs.partner(n)] -= inverse_temperature;
                               losses(n) = log(total) + (largest - of_partner) * inverse_temperature;
                           });
        });
}
}  // namespace paws::kernels
