#pragma once

#include <cmath>

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
    const auto classes = static_cast<int>(probabilities.extent(1));
    Kokkos::parallel_for(
        "paws::cross_entropy::rows", Kokkos::RangePolicy<Exec>(exec, 0, probabilities.extent(0)),
        KOKKOS_LAMBDA(std::int64_t n) {
            using std::log;
            Scalar sum = 0;
            for (int k = 0; k < classes; ++k)
            {
                const Scalar target = targets(n, k);
                if (target != 0)
                {
                    sum -= target * log(probabilities(n, k));
                }
            }
            losses(n) = sum;
        });
}

/// a_k = (1/N) Σ_n ρ(p_n)_k: the mean sharpened prediction that me-max spreads over the classes.
/// probabilities [N, K], mean [K]; sharpened [N, K] is overwritten by ρ(p).
/// Summed in the order of the rows by one thread a class: the same bits on every run.
template <class Exec, class ProbabilityView, class SharpenedView, class MeanView>
void mean_sharpened(const Exec& exec, const ProbabilityView& probabilities, double sharpening,
                    const SharpenedView& sharpened, const MeanView& mean)
{
    check_view<Exec, MeanView, 1>();
    sharpen(exec, probabilities, sharpening, sharpened);
    using Scalar = typename MeanView::non_const_value_type;
    const auto rows = static_cast<std::int64_t>(probabilities.extent(0));
    Kokkos::parallel_for(
        "paws::mean_sharpened::classes", Kokkos::RangePolicy<Exec>(exec, 0, mean.extent(0)),
        KOKKOS_LAMBDA(std::int64_t k) {
            Scalar sum = 0;
            for (std::int64_t n = 0; n < rows; ++n)
            {
                sum += sharpened(n, k);
            }
            mean(k) = sum / static_cast<Scalar>(rows);
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
///   −grad_loss t_k / (N p_k) + grad_me_max / N Σ_j (log a_j + 1) ∂ρ(p)_j / ∂p_k .
/// probabilities, targets, grad_probabilities: [N, K]; mean: [K]; grad_loss, grad_me_max: one value each, on the
/// device.
template <class Exec, class ProbabilityView, class TargetView, class MeanView, class ScalarView, class GradView>
void paws_loss_backward(const Exec& exec, const ProbabilityView& probabilities, const TargetView& targets,
                        const MeanView& mean, double sharpening, bool me_max, const ScalarView& grad_loss,
                        const ScalarView& grad_me_max, const GradView& grad_probabilities)
{
    check_view<Exec, ProbabilityView, 2>();
    check_view<Exec, TargetView, 2>();
    check_view<Exec, MeanView, 1>();
    check_view<Exec, ScalarView, 0>();
    check_view<Exec, GradView, 2>();
    using Scalar = typename GradView::non_const_value_type;
    const auto rows = static_cast<Scalar>(probabilities.extent(0));
    const auto classes = static_cast<int>(probabilities.extent(1));
    const auto exponent = static_cast<Scalar>(1 / sharpening);
    Kokkos::parallel_for(
        "paws::paws_loss::backward", Kokkos::RangePolicy<Exec>(exec, 0, probabilities.extent(0)),
        KOKKOS_LAMBDA(std::int64_t n) {
            using std::log;
            const auto p = Kokkos::subview(probabilities, n, Kokkos::ALL());
            const Scalar scale = grad_loss() / rows;
            for (int k = 0; k < classes; ++k)
            {
                const Scalar target = targets(n, k);
                grad_probabilities(n, k) = target != 0 ? -scale * target / p(k) : Scalar(0);
            }
            if (!me_max)
            {
                return;
            }
            const RowSharpener<Scalar> rho(exponent, p, classes);
            Scalar expected = 0;
            for (int k = 0; k < classes; ++k)
            {
                const Scalar sharpened = rho.sharpened(p(k));
                expected += sharpened != 0 ? sharpened * (log(mean(k)) + 1) : Scalar(0);
            }
            const Scalar me_max_scale = grad_me_max() / rows;
            for (int k = 0; k < classes; ++k)
            {
                const Scalar slope = rho.slope(p(k));
                grad_probabilities(n, k) +=
                    slope != 0 ? me_max_scale * slope * (log(mean(k)) + 1 - expected) : Scalar(0);
            }
        });
}
}  // namespace paws::kernels
