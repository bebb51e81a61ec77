#pragma once

#include <cmath>

#include "kernels/policies.hpp"

// The small steps per channel between the passes of batch normalisation (kernels/batch_norm.hpp): what ranks add up,
// and what follows from the sums. Fused, because on a device a launch costs more than all of their arithmetic. The
// number of values stays in the memory of the device as well: after a reduction only the device knows it.

namespace paws::kernels
{
/// The values that a rank sends of a layer with C channels: Σ (x − o) [C], Σ (x − o)² [C] and the number of values.
inline std::int64_t batch_norm_shared_values(std::int64_t channels)
{
    return 2 * channels + 1;
}

/// From a rank's own mean and sum of squared deviations [C] of `count` values what all ranks add up: sums, double [2C +
/// 1], about an origin [C] that they have in common, for sums of squares themselves would lose the variance of channels
/// with a large mean.
template <class Exec, class StatView, class SumView>
void batch_norm_pack(const Exec& exec, const StatView& mean, const StatView& deviation, double count,
                     const StatView& origin, const SumView& sums)
{
    check_view<Exec, StatView, 1>();
    check_view<Exec, SumView, 1>();
    const auto channels = static_cast<std::int64_t>(mean.extent(0));
    Kokkos::parallel_for(
        "paws::batch_norm::pack", Kokkos::RangePolicy<Exec>(exec, 0, channels), KOKKOS_LAMBDA(std::int64_t c) {
            const double distance = static_cast<double>(mean(c)) - static_cast<double>(origin(c));
            sums(c) = distance * count;
            sums(channels + c) = static_cast<double>(deviation(c)) + distance * distance * count;
            if (c == 0)
            {
                sums(2 * channels) = count;
            }
        });
}

/// The way back from the sums of all ranks: mean and deviation of all values, and their number (double, rank 0).
template <class Exec, class StatView, class SumView, class CountView>
void batch_norm_unpack(const Exec& exec, const SumView& sums, const StatView& origin, const StatView& mean,
                       const StatView& deviation, const CountView& count)
{
    check_view<Exec, StatView, 1>();
    check_view<Exec, SumView, 1>();
    check_view<Exec, CountView, 0>();
    using Real = typename StatView::non_const_value_type;
    const auto channels = static_cast<std::int64_t>(mean.extent(0));
    Kokkos::parallel_for(
        "paws::batch_norm::unpack", Kokkos::RangePolicy<Exec>(exec, 0, channels), KOKKOS_LAMBDA(std::int64_t c) {
            const double total = sums(2 * channels);
            const double offset = sums(c) / total;
            const double squares = sums(channels + c) - offset * offset * total;
            mean(c) = static_cast<Real>(static_cast<double>(origin(c)) + offset);
            deviation(c) = static_cast<Real>(squares < 0 ? 0 : squares);
            if (c == 0)
            {
                count() = total;
            }
        });
}

struct BatchNormSettings
{
    double epsilon;
    double momentum;  ///< of the running statistics: the share of the batch's
};

/// inverse = 1 / √(σ² + ε) and scale = γ / √(σ² + ε) from the batch's statistics, which enter the running ones with the
/// share `momentum`, the variance as the unbiased one. All [C]; count: rank 0.
template <class Exec, class StatView, class WeightView, class CountView>
void batch_norm_finish(const Exec& exec, const StatView& mean, const StatView& deviation, const CountView& count,
                       const BatchNormSettings& settings, const WeightView& weight, const StatView& running_mean,
                       const StatView& running_variance, const StatView& inverse, const StatView& scale)
{
    check_view<Exec, StatView, 1>();
    check_view<Exec, WeightView, 1>();
    check_view<Exec, CountView, 0>();
    using Real = typename StatView::non_const_value_type;
    const auto s = settings;
    Kokkos::parallel_for(
        "paws::batch_norm::finish", Kokkos::RangePolicy<Exec>(exec, 0, mean.extent(0)), KOKKOS_LAMBDA(std::int64_t c) {
            using std::sqrt;
            const double values = count();
            const auto squares = static_cast<double>(deviation(c));
            running_mean(c) = static_cast<Real>((1 - s.momentum) * static_cast<double>(running_mean(c)) +
                                                s.momentum * static_cast<double>(mean(c)));
            running_variance(c) = static_cast<Real>((1 - s.momentum) * static_cast<double>(running_variance(c)) +
                                                    s.momentum * squares / (values - 1));
            const double root = 1 / sqrt(squares / values + s.epsilon);
            inverse(c) = static_cast<Real>(root);
            scale(c) = static_cast<Real>(static_cast<double>(weight(c)) * root);
        });
}

/// What the backward pass takes from its two sums (see batch_norm_backward_sums), Σ g and Σ g (x − mean), [2, C]:
/// `own` of this rank and `all` of all ranks. grad_weight is this rank's; slope and offset are what
/// batch_norm_backward_apply wants, zero where the statistics are frozen. The others: [C]; count: rank 0.
template <class Exec, class SumView, class StatView, class OutView, class CountView>
void batch_norm_gradients(const Exec& exec, const SumView& own, const SumView& all, const StatView& inverse,
                          const CountView& count, bool frozen, const OutView& slope, const OutView& offset,
                          const OutView& grad_weight)
{
    check_view<Exec, SumView, 2>();
    check_view<Exec, StatView, 1>();
    check_view<Exec, OutView, 1>();
    check_view<Exec, CountView, 0>();
    using Real = typename OutView::non_const_value_type;
    Kokkos::parallel_for(
        "paws::batch_norm::gradients", Kokkos::RangePolicy<Exec>(exec, 0, slope.extent(0)),
        KOKKOS_LAMBDA(std::int64_t c) {
            const Real share = frozen ? Real(0) : static_cast<Real>(-1 / count());
            grad_weight(c) = own(1, c) * inverse(c);
            slope(c) = all(1, c) * inverse(c) * inverse(c) * share;
            offset(c) = all(0, c) * share;
        });
}
}  // namespace paws::kernels
