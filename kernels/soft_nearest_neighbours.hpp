#pragma once

#include "kernels/math.hpp"
#include "kernels/rows.hpp"

namespace paws::kernels
{
/// Smoothed one-hot labels without the label matrix, for supports that are sorted by class: those of class k are
/// columns offsets[k] … offsets[k + 1] − 1 (int32 [K + 1]), with `on` in the column of their class and `off` elsewhere.
/// A class is then a contiguous segment of a row, summed in a fixed order without atomics.
template <class IndexView>
struct ClassSegments
{
    IndexView offsets;
    double on;
    double off;
};

/// Soft nearest neighbours, p = softmax(s / τ) Y (PAWS, eq. 1), for similarities s of queries and supports.
/// similarities [N, M]: read, then overwritten by the softmax's numerators e^((s − max s) / τ), whose row sums are
/// `totals` [N] (the division is left to the reader, which saves a pass); probabilities [N, K]: written. A class
/// without support gets `off`.
template <class Exec, class SimilarityView, class IndexView, class TotalView, class ProbabilityView>
void soft_nearest_neighbours(const Exec& exec, const SimilarityView& similarities,
                             const ClassSegments<IndexView>& labels, double temperature, const TotalView& totals,
                             const ProbabilityView& probabilities)
{
    check_view<Exec, SimilarityView, 2>();
    check_view<Exec, IndexView, 1>();
    check_view<Exec, TotalView, 1>();
    check_view<Exec, ProbabilityView, 2>();
    using Scalar = typename ProbabilityView::non_const_value_type;
    using Team = typename Kokkos::TeamPolicy<Exec>::member_type;
    const auto supports = static_cast<int>(similarities.extent(1));
    const auto classes = static_cast<int>(probabilities.extent(1));
    const auto inverse_temperature = static_cast<Scalar>(1 / temperature);
    const auto off = static_cast<Scalar>(labels.off);
    const auto gain = static_cast<Scalar>(labels.on - labels.off);
    Kokkos::parallel_for(
        "paws::soft_nearest_neighbours::rows", row_policy(exec, similarities.extent(0)),
        KOKKOS_LAMBDA(const Team& team) {
            const int n = team.league_rank();
            auto* const row = &similarities(n, 0);
            const Scalar largest =
                largest_of_row<Scalar, Exec>(team, 1, supports, row[0], [&](int j) { return row[j]; });
            team.team_barrier();
            const Scalar total = sum_row<Scalar, Exec>(
                team, 0, supports,
                [&](int j)
                {
                    const Scalar weight = exp_of_non_positive((row[j] - largest) * inverse_temperature);
                    row[j] = weight;
                    return weight;
                });
            team.team_barrier();
            // The weights of a row sum to one, so Y's constant part contributes `off` to every class.
            const Scalar scale = gain / total;
            auto* const p = &probabilities(n, 0);
            Kokkos::parallel_for(Kokkos::TeamThreadRange(team, classes),
                                 [&](int k)
                                 {
                                     const int begin = labels.offsets(k);
                                     const int end = labels.offsets(k + 1);
                                     p[k] =
                                         off + scale * sum_segment<Scalar>(begin, end, [&](int j) { return row[j]; });
                                 });
            Kokkos::single(Kokkos::PerTeam(team), [&]() { totals(n) = total; });
        });
}

/// The gradient through p = softmax(s / τ) Y: grad_s_j = w_j (g_j − Σ_i w_i g_i) / τ with g_j = (on − off) grad_p[class
/// of j] (Y's constant part cancels) and w_j = numerators_j / total. numerators [N, M]: as the forward pass left them,
/// overwritten by grad_s; totals [N]; grad_probabilities [N, K].
template <class Exec, class GradView, class IndexView, class TotalView, class WeightView>
void soft_nearest_neighbours_backward(const Exec& exec, const GradView& grad_probabilities,
                                      const ClassSegments<IndexView>& labels, double temperature,
                                      const TotalView& totals, const WeightView& numerators)
{
    check_view<Exec, GradView, 2>();
    check_view<Exec, IndexView, 1>();
    check_view<Exec, TotalView, 1>();
    check_view<Exec, WeightView, 2>();
    using Scalar = typename WeightView::non_const_value_type;
    using Team = typename Kokkos::TeamPolicy<Exec>::member_type;
    const auto classes = static_cast<int>(grad_probabilities.extent(1));
    const auto gain = static_cast<Scalar>((labels.on - labels.off) / temperature);
    Kokkos::parallel_for(
        "paws::soft_nearest_neighbours::backward", row_policy(exec, numerators.extent(0)),
        KOKKOS_LAMBDA(const Team& team) {
            const int n = team.league_rank();
            auto* const row = &numerators(n, 0);
            const auto* const grad = &grad_probabilities(n, 0);
            const Scalar inverse_total = 1 / totals(n);
            Scalar expected = 0;
            Kokkos::parallel_reduce(
                Kokkos::TeamThreadRange(team, classes),
                [&](int k, Scalar& sum) {
                    sum += grad[k] *
                           sum_segment<Scalar>(labels.offsets(k), labels.offsets(k + 1), [&](int j) { return row[j]; });
                },
                expected);
            expected *= inverse_total;
            const Scalar scale = gain * inverse_total;
            Kokkos::parallel_for(Kokkos::TeamThreadRange(team, classes),
                                 [&](int k)
                                 {
                                     const Scalar slope = scale * (grad[k] - expected);
                                     const int end = labels.offsets(k + 1);
                                     for (int j = labels.offsets(k); j < end; ++j)
                                     {
                                         row[j] *= slope;
                                     }
                                 });
        });
}
}  // namespace paws::kernels
