#pragma once

#include <cmath>

#include "kernels/rows.hpp"
#include "kernels/sharpen.hpp"

namespace paws::kernels
{
/// The rows' cross-entropies H(target, p) = −Σ_k t_k log p_k. probabilities, targets: [N, K]; losses: [N].
/// A target of zero contributes nothing, whatever p is.
template <class Exec, class ProbabilityView, class TargetView, class LossView>
void cross_entropy(const Exec& exec, const ProbabilityView& probabilities, const TargetView& targets,
                   const LossView& losses)
{
    check_view<Exec, ProbabilityView, 2>();
    check_view<Exec, TargetView, 2>();
    check_view<Exec, LossView, 1>();
    using Scalar = typename LossView::non_const_value_type;
    using Team = typename Kokkos::TeamPolicy<Exec>::member_type;
    const auto classes = static_cast<int>(probabilities.extent(1));
    Kokkos::parallel_for(
        "paws::cross_entropy::rows", row_policy(exec, probabilities.extent(0)), KOKKOS_LAMBDA(const Team& team) {
            using std::log;
            const int n = team.league_rank();
            const auto* const p = &probabilities(n, 0);
            const auto* const target = &targets(n, 0);
            const Scalar sum = sum_row<Scalar, Exec>(
                team, 0, classes, [&](int k) { return target[k] != 0 ? target[k] * log(p[k]) : Scalar(0); });
            Kokkos::single(Kokkos::PerTeam(team), [&]() { losses(n) = -sum; });
        });
}

/// mean_k = (1/N) Σ_n values_nk, a team a class: a device has more threads than there are classes. values: [N, K];
/// mean: [K].
template <class Exec, class ValueView, class MeanView>
void mean_of_rows_by_teams(const Exec& exec, const ValueView& values, const MeanView& mean)
{
    using Scalar = typename MeanView::non_const_value_type;
    using Team = typename Kokkos::TeamPolicy<Exec>::member_type;
    const auto rows = static_cast<int>(values.extent(0));
    Kokkos::parallel_for(
        "paws::mean_sharpened::classes", row_policy(exec, mean.extent(0)), KOKKOS_LAMBDA(const Team& team) {
            const int k = team.league_rank();
            const Scalar sum = sum_row<Scalar, Exec>(team, 0, rows, [&](int n) { return values(n, k); });
            Kokkos::single(Kokkos::PerTeam(team), [&]() { mean(k) = sum / static_cast<Scalar>(rows); });
        });
}

/// a_k = (1/N) Σ_n ρ(p_n)_k: the mean sharpened prediction that me-max spreads over the classes.
/// probabilities [N, K], mean [K]; sharpened [N, K] is overwritten by ρ(p).
/// A class is summed in an order that does not change: the same bits on every run.
template <class Exec, class ProbabilityView, class SharpenedView, class MeanView>
void mean_sharpened(const Exec& exec, const ProbabilityView& probabilities, double sharpening,
                    const SharpenedView& sharpened, const MeanView& mean)
{
    check_view<Exec, MeanView, 1>();
    sharpen(exec, probabilities, sharpening, sharpened);
    using Scalar = typename MeanView::non_const_value_type;
    const auto rows = static_cast<std::int64_t>(probabilities.extent(0));
    const auto classes = static_cast<int>(mean.extent(0));
    if constexpr (runs_on_host<Exec>)
    {
        // Neighbouring classes share the lines of memory that are read: a vector of them a thread.
        constexpr int width = 16;
        Kokkos::parallel_for("paws::mean_sharpened::classes",
                             Kokkos::RangePolicy<Exec>(exec, 0, (classes + width - 1) / width),
                             [=](std::int64_t group)
                             {
                                 const int first = static_cast<int>(group) * width;
                                 const int count = first + width < classes ? width : classes - first;
                                 Scalar sum[width] = {};
                                 for (std::int64_t n = 0; n < rows; ++n)
                                 {
                                     for (int k = 0; k < count; ++k)
                                     {
                                         sum[k] += sharpened(n, first + k);
                                     }
                                 }
                                 for (int k = 0; k < count; ++k)
                                 {
                                     mean(first + k) = sum[k] / static_cast<Scalar>(rows);
                                 }
                             });
    }
    else
    {
        mean_of_rows_by_teams(exec, sharpened, mean);
    }
}

/// The derivative of Σ_k a_k log a_k by a: slope_k = log a_k + 1, and 0 where a_k is 0 (no prediction has this class,
/// so nothing flows to it). mean, slope: [K].
template <class Exec, class MeanView, class SlopeView>
void me_max_slope(const Exec& exec, const MeanView& mean, const SlopeView& slope)
{
    check_view<Exec, MeanView, 1>();
    check_view<Exec, SlopeView, 1>();
    using Scalar = typename SlopeView::non_const_value_type;
    Kokkos::parallel_for(
        "paws::me_max_slope", Kokkos::RangePolicy<Exec>(exec, 0, mean.extent(0)), KOKKOS_LAMBDA(std::int64_t k) {
            using std::log;
            slope(k) = mean(k) > 0 ? log(mean(k)) + 1 : Scalar(0);
        });
}

/// The two parts of the PAWS loss: loss() = mean of losses [N]; me_max() = Σ_k a_k log a_k of mean [K] (0 log 0 = 0).
template <class Exec, class LossView, class MeanView, class ScalarView>
void paws_loss(const Exec& exec, const LossView& losses, const MeanView& mean, const ScalarView& loss,
               const ScalarView& me_max)
{
    check_view<Exec, LossView, 1>();
    check_view<Exec, MeanView, 1>();
    check_view<Exec, ScalarView, 0>();
    using Scalar = typename ScalarView::non_const_value_type;
    const auto rows = static_cast<std::int64_t>(losses.extent(0));
    Kokkos::parallel_reduce(
        "paws::paws_loss::mean", Kokkos::RangePolicy<Exec>(exec, 0, rows),
        KOKKOS_LAMBDA(std::int64_t n, Scalar & sum) { sum += losses(n) / static_cast<Scalar>(rows); }, loss);
    Kokkos::parallel_reduce(
        "paws::paws_loss::me_max", Kokkos::RangePolicy<Exec>(exec, 0, mean.extent(0)),
        KOKKOS_LAMBDA(std::int64_t k, Scalar & sum) {
            using std::log;
            sum += mean(k) > 0 ? mean(k) * log(mean(k)) : Scalar(0);
        },
        me_max);
}

/// The gradient of grad_loss · loss + grad_me_max · me_max by the class probabilities:
///   −grad_loss t_k / (N p_k) + grad_me_max / N Σ_j slope_j ∂ρ(p)_j / ∂p_k , slope as me_max_slope gives it.
/// probabilities, targets, grad_probabilities: [N, K]; slope: [K]; grad_loss, grad_me_max: one value each, on the
/// device.
template <class Exec, class ProbabilityView, class TargetView, class SlopeView, class ScalarView, class GradView>
void paws_loss_backward(const Exec& exec, const ProbabilityView& probabilities, const TargetView& targets,
                        const SlopeView& slope, double sharpening, bool me_max, const ScalarView& grad_loss,
                        const ScalarView& grad_me_max, const GradView& grad_probabilities)
{
    check_view<Exec, ProbabilityView, 2>();
    check_view<Exec, TargetView, 2>();
    check_view<Exec, SlopeView, 1>();
    check_view<Exec, ScalarView, 0>();
    check_view<Exec, GradView, 2>();
    using Scalar = typename GradView::non_const_value_type;
    using Team = typename Kokkos::TeamPolicy<Exec>::member_type;
    const auto rows = static_cast<Scalar>(probabilities.extent(0));
    const auto classes = static_cast<int>(probabilities.extent(1));
    const auto exponent = static_cast<Scalar>(1 / sharpening);
    Kokkos::parallel_for(
        "paws::paws_loss::backward", row_policy(exec, probabilities.extent(0)), KOKKOS_LAMBDA(const Team& team) {
            const int n = team.league_rank();
            const auto* const p = &probabilities(n, 0);
            const auto* const target = &targets(n, 0);
            const auto* const towards = &slope(0);
            auto* const grad = &grad_probabilities(n, 0);
            const Scalar scale = grad_loss() / rows;
            // A target of zero contributes nothing, whatever p is.
            const auto of_cross_entropy = [&](int k) { return target[k] != 0 ? -scale * target[k] / p[k] : Scalar(0); };
            if (!me_max)
            {
                for_row<Exec>(team, 0, classes, [&](int k) { grad[k] = of_cross_entropy(k); });
                return;
            }
            const RowSharpener<Scalar, Exec> rho(team, exponent, p, classes);
            const Scalar expected =
                sum_row<Scalar, Exec>(team, 0, classes, [&](int k) { return rho.sharpened(p[k]) * towards[k]; });
            const Scalar me_max_scale = grad_me_max() / rows;
            for_row<Exec>(team, 0, classes,
                          [&](int k) {
                              grad[k] = of_cross_entropy(k) + me_max_scale * rho.slope(p[k]) * (towards[k] - expected);
                          });
        });
}
}  // namespace paws::kernels
