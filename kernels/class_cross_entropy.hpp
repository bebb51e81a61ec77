#pragma once

#include <cmath>
#include <limits>

#include "kernels/soft_nearest_neighbours.hpp"

// What soft nearest neighbours need to be a loss of labelled rows among themselves (SuNCEt, arXiv 2006.10803).

namespace paws::kernels
{
/// similarities[n, columns(n)] = −∞: the row has no neighbour there. similarities [N, M]; columns: int32 [N].
template <class Exec, class SimilarityView, class IndexView>
void exclude_columns(const Exec& exec, const SimilarityView& similarities, const IndexView& columns)
{
    check_view<Exec, SimilarityView, 2>();
    check_view<Exec, IndexView, 1>();
    using Scalar = typename SimilarityView::non_const_value_type;
    Kokkos::parallel_for(
        "paws::class_cross_entropy::exclude_columns", Kokkos::RangePolicy<Exec>(exec, 0, similarities.extent(0)),
        KOKKOS_LAMBDA(std::int64_t n) { similarities(n, columns(n)) = -std::numeric_limits<Scalar>::infinity(); });
}

/// Cross-entropy with smoothed labels: losses[n] = −Σ_k y_nk log p_nk, y_nk being labels.on for k = classes(n) and
/// labels.off elsewhere. probabilities [N, K]: read, then overwritten by the gradient −y_nk / p_nk; classes: int32 [N];
/// losses [N]: written. A label of zero contributes nothing, whatever p is.
template <class Exec, class ProbabilityView, class ClassView, class IndexView, class LossView>
void class_cross_entropy(const Exec& exec, const ProbabilityView& probabilities, const ClassView& classes,
                         const ClassSegments<IndexView>& labels, const LossView& losses)
{
    check_view<Exec, ProbabilityView, 2>();
    check_view<Exec, ClassView, 1>();
    check_view<Exec, LossView, 1>();
    using Scalar = typename LossView::non_const_value_type;
    using Team = typename Kokkos::TeamPolicy<Exec>::member_type;
    const auto columns = static_cast<int>(probabilities.extent(1));
    const auto on = static_cast<Scalar>(labels.on);
    const auto off = static_cast<Scalar>(labels.off);
    Kokkos::parallel_for(
        "paws::class_cross_entropy::rows", row_policy(exec, probabilities.extent(0)), KOKKOS_LAMBDA(const Team& team) {
            using std::log;
            const int n = team.league_rank();
            const int own = classes(n);
            auto* const row = &probabilities(n, 0);
            const Scalar p = row[own];
            team.team_barrier();
            Scalar others = 0;
            if (off != 0)
            {
                others = sum_row<Scalar, Exec>(team, 0, columns,
                                               [&](int k) { return k == own ? Scalar(0) : off * log(row[k]); });
                team.team_barrier();
            }
            for_row<Exec>(team, 0, columns,
                          [&](int k)
                          {
                              const Scalar label = k == own ? on : off;
                              row[k] = label != 0 ? -label / row[k] : Scalar(0);
                          });
            Kokkos::single(Kokkos::PerTeam(team), [&]() { losses(n) = -on * log(p) - others; });
        });
}
}  // namespace paws::kernels
