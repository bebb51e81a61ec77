#pragma once

#include <cmath>

#include "kernels/policies.hpp"

namespace paws::kernels
{
/// Smoothed one-hot labels without the label matrix: support j has `on` in the column of its class and `off` elsewhere.
/// `class_of`: int32 [M]. The supports of class k are `members[offsets[k]] … members[offsets[k + 1] − 1]`
/// (int32 [M] and [K + 1]), so that a class is summed in a fixed order, without atomics, on every backend.
template <class IndexView>
struct StructuredLabels
{
    IndexView class_of;
    IndexView members;
    IndexView offsets;
    double on;
    double off;
};

/// Soft nearest neighbours, p = softmax(s / τ) Y (PAWS, eq. 1), for similarities s of queries and supports.
/// similarities [N, M]: read, then overwritten by the softmax weights, which the backward pass needs;
/// probabilities [N, K]: written. A class without support gets `off`.
template <class Exec, class SimilarityView, class IndexView, class ProbabilityView>
void soft_nearest_neighbours(const Exec& exec, const SimilarityView& similarities,
                             const StructuredLabels<IndexView>& labels, double temperature,
                             const ProbabilityView& probabilities)
{
    check_view<Exec, SimilarityView, 2>();
    check_view<Exec, IndexView, 1>();
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
            using std::exp;
            const int n = team.league_rank();
            Scalar largest = 0;
            Kokkos::parallel_reduce(
                Kokkos::TeamThreadRange(team, supports),
                [&](int j, Scalar& best) { best = similarities(n, j) > best ? similarities(n, j) : best; },
                Kokkos::Max<Scalar>(largest));
            Scalar total = 0;
            Kokkos::parallel_reduce(
                Kokkos::TeamThreadRange(team, supports),
                [&](int j, Scalar& sum)
                {
                    const Scalar weight = exp((similarities(n, j) - largest) * inverse_temperature);
                    similarities(n, j) = weight;
                    sum += weight;
                },
                total);
            const Scalar scale = 1 / total;
            Kokkos::parallel_for(Kokkos::TeamThreadRange(team, supports), [&](int j) { similarities(n, j) *= scale; });
            team.team_barrier();
            // The weights of a row sum to one, so Y's constant part contributes `off` to every class.
            Kokkos::parallel_for(Kokkos::TeamThreadRange(team, classes),
                                 [&](int k)
                                 {
                                     Scalar sum = 0;
                                     for (int i = labels.offsets(k); i < labels.offsets(k + 1); ++i)
                                     {
                                         sum += similarities(n, labels.members(i));
                                     }
                                     probabilities(n, k) = off + gain * sum;
                                 });
        });
}

/// The gradient through p = softmax(s / τ) Y: grad_s_j = w_j (g_j − Σ_i w_i g_i) / τ with g_j = (on − off) grad_p[class
/// of j] (Y's constant part cancels). weights [N, M]: the softmax weights, overwritten by grad_s; grad_probabilities
/// [N, K].
template <class Exec, class GradView, class IndexView, class WeightView>
void soft_nearest_neighbours_backward(const Exec& exec, const GradView& grad_probabilities,
                                      const StructuredLabels<IndexView>& labels, double temperature,
                                      const WeightView& weights)
{
    check_view<Exec, GradView, 2>();
    check_view<Exec, IndexView, 1>();
    check_view<Exec, WeightView, 2>();
    using Scalar = typename WeightView::non_const_value_type;
    using Team = typename Kokkos::TeamPolicy<Exec>::member_type;
    const auto supports = static_cast<int>(weights.extent(1));
    const auto gain = static_cast<Scalar>((labels.on - labels.off) / temperature);
    Kokkos::parallel_for(
        "paws::soft_nearest_neighbours::backward", row_policy(exec, weights.extent(0)),
        KOKKOS_LAMBDA(const Team& team) {
            const int n = team.league_rank();
            Scalar mean = 0;
            Kokkos::parallel_reduce(
                Kokkos::TeamThreadRange(team, supports),
                [&](int j, Scalar& sum) { sum += weights(n, j) * grad_probabilities(n, labels.class_of(j)); }, mean);
            Kokkos::parallel_for(Kokkos::TeamThreadRange(team, supports), [&](int j)
                                 { weights(n, j) *= gain * (grad_probabilities(n, labels.class_of(j)) - mean); });
        });
}
}  // namespace paws::kernels
