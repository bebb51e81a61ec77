#pragma once

#include "kernels/sharpen.hpp"

namespace paws::kernels
{
/// Targets below this count as zero (numerical stability of the published method).
inline constexpr double smallest_target = 1e-4;

/// From the class probabilities of the large views to the targets of all views.
/// probabilities [2B, K]: row i is the prediction that anchor row i is compared with (views already swapped);
/// targets [(2 + multicrop) B, K]: the sharpened rows, then for every small crop of image b the mean of its two;
/// entries below 1e-4 become 0.
template <class Exec, class ProbabilityView, class TargetView>
void multicrop_targets(const Exec& exec, const ProbabilityView& probabilities, double sharpening,
                       const TargetView& targets)
{
    check_view<Exec, ProbabilityView, 2>();
    check_view<Exec, TargetView, 2>();
    using Scalar = typename TargetView::non_const_value_type;
    using Team = typename Kokkos::TeamPolicy<Exec>::member_type;
    const auto images = static_cast<std::int64_t>(probabilities.extent(0)) / 2;
    const auto classes = static_cast<int>(probabilities.extent(1));
    const auto views = static_cast<std::int64_t>(targets.extent(0)) / (images > 0 ? images : 1);
    const auto exponent = static_cast<Scalar>(1 / sharpening);
    Kokkos::parallel_for(
        "paws::multicrop_targets::images", row_policy(exec, images), KOKKOS_LAMBDA(const Team& team) {
            const std::int64_t b = team.league_rank();
            const Scalar* const first = &probabilities(b, 0);
            const Scalar* const second = &probabilities(images + b, 0);
            const RowSharpener<Scalar, Exec> rho_first(team, exponent, first, classes);
            const RowSharpener<Scalar, Exec> rho_second(team, exponent, second, classes);
            const auto bound = static_cast<Scalar>(smallest_target);
            const auto kept = [bound](Scalar target) { return target < bound ? Scalar(0) : target; };
            for_row<Exec>(team, 0, classes,
                          [&](int k)
                          {
                              const Scalar one = rho_first.sharpened(first[k]);
                              const Scalar two = rho_second.sharpened(second[k]);
                              const Scalar mean = kept((one + two) / 2);
                              targets(b, k) = kept(one);
                              targets(images + b, k) = kept(two);
                              for (std::int64_t v = 2; v < views; ++v)
                              {
                                  targets(v * images + b, k) = mean;
                              }
                          });
        });
}
}  // namespace paws::kernels
