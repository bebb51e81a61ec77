#pragma once

#include <limits>

#include "kernels/batch_norm/walk.hpp"

namespace paws::kernels
{
namespace batch_norm
{
/// What ReLU bounds values by from below.
template <class Real>
Real floor_of(bool relu)
{
    return relu ? Real(0) : -std::numeric_limits<Real>::infinity();
}

/// What an apply pass without a shortcut has in its place.
struct NoAddend
{
};

template <class XView, class StatView, class AddendView, class YView>
struct Apply
{
    using Real = typename StatView::non_const_value_type;
    static constexpr bool adds = !std::is_same_v<AddendView, NoAddend>;
    XView x;
    StatView mean, scale, bias;
    AddendView addend;
    YView y;
    Real floor;

    template <class Step, class Width>
    KOKKOS_INLINE_FUNCTION void operator()(const Strip<Step>& strip, Width width) const
    {
        const auto m = channel_values(mean, strip.first, width);
        const auto a = channel_values(scale, strip.first, width);
        const auto b = channel_values(bias, strip.first, width);
        for (std::int64_t r = strip.begin; r < strip.end; r += strip.step)
        {
            const auto in = reading(&x(r, strip.first), width);
            auto out = writing(&y(r, strip.first), width);
            const auto added = [&]
            {
                if constexpr (adds)
                {
                    return reading(&addend(r, strip.first), width);
                }
                else
                {
                    return NoAddend{};
                }
            }();
            for (int l = 0; l < width; ++l)
            {
                Real value = (load(in[l]) - m[l]) * a[l] + b[l];
                if constexpr (adds)
                {
                    value += load(added[l]);
                }
                // Written so that a NaN goes through.
                store(out[l], value < floor ? floor : value);
            }
            written(out, &y(r, strip.first));
        }
    }
};

/// The end of a residual block whose shortcut has a batch norm of its own.
template <class XView, class StatView, class YView>
struct ApplyPair
{
    using Real = typename StatView::non_const_value_type;
    XView x, other;
    StatView mean, scale, bias, other_mean, other_scale, other_bias;
    YView y;

    template <class Step, class Width>
    KOKKOS_INLINE_FUNCTION void operator()(const Strip<Step>& strip, Width width) const
    {
        const auto m = channel_values(mean, strip.first, width);
        const auto a = channel_values(scale, strip.first, width);
        const auto b = channel_values(bias, strip.first, width);
        const auto other_m = channel_values(other_mean, strip.first, width);
        const auto other_a = channel_values(other_scale, strip.first, width);
        const auto other_b = channel_values(other_bias, strip.first, width);
        for (std::int64_t r = strip.begin; r < strip.end; r += strip.step)
        {
            const auto in = reading(&x(r, strip.first), width);
            const auto other_in = reading(&other(r, strip.first), width);
            auto out = writing(&y(r, strip.first), width);
            for (int l = 0; l < width; ++l)
            {
                const Real value = (load(in[l]) - m[l]) * a[l] + b[l];
                const Real other_value = (load(other_in[l]) - other_m[l]) * other_a[l] + other_b[l];
                const Real sum = value + other_value;
                // Written so that a NaN goes through.
                store(out[l], sum < Real(0) ? Real(0) : sum);
            }
            written(out, &y(r, strip.first));
        }
    }
};
}  // namespace batch_norm

/// y = max(0, (x − mean) · scale + bias), or without the bound when `relu` is off. x, y: [R, C], may be one array; the
/// others: [C]. With scale = γ / √(σ² + ε) it is batch norm (arXiv 1502.03167, algorithm 1). The mean is taken off
/// before scaling, not folded into the bias, which would lose the digits that a large mean has in common with x.
template <class Exec, class XView, class StatView, class YView>
void batch_norm_apply(const Exec& exec, const XView& x, const StatView& mean, const StatView& scale,
                      const StatView& bias, bool relu, const YView& y)
{
    batch_norm::check_images<Exec, XView>();
    check_view<Exec, StatView, 1>();
    batch_norm::check_images<Exec, YView>();
    using Real = typename StatView::non_const_value_type;
    using Map = batch_norm::Apply<XView, StatView, batch_norm::NoAddend, YView>;
    batch_norm::map_matrix("paws::batch_norm::apply", exec,
                           Map{x, mean, scale, bias, {}, y, batch_norm::floor_of<Real>(relu)}, x, y, mean, scale, bias);
}

/// The end of a residual block: y = max(0, (x − mean) · scale + bias + addend). x, addend, y: [R, C], y may be x or
/// addend; the others: [C].
template <class Exec, class XView, class StatView, class YView>
void batch_norm_add_relu_apply(const Exec& exec, const XView& x, const StatView& mean, const StatView& scale,
                               const StatView& bias, const XView& addend, const YView& y)
{
    batch_norm::check_images<Exec, XView>();
    check_view<Exec, StatView, 1>();
    batch_norm::check_images<Exec, YView>();
    using Map = batch_norm::Apply<XView, StatView, XView, YView>;
    batch_norm::map_matrix("paws::batch_norm::add_relu_apply", exec, Map{x, mean, scale, bias, addend, y, 0}, x, addend,
                           y, mean, scale, bias);
}

/// What normalises the channels of one array: all [C].
template <class StatView>
struct BatchNormChannels
{
    StatView mean, scale, bias;
};

/// The end of a residual block whose shortcut is normalised as well: y = max(0, bn(x) + other_bn(other)), in one pass.
/// x, other, y: [R, C].
template <class Exec, class XView, class StatView, class YView>
void batch_norm_pair_relu_apply(const Exec& exec, const XView& x, const BatchNormChannels<StatView>& channels,
                                const XView& other, const BatchNormChannels<StatView>& other_channels, const YView& y)
{
    batch_norm::check_images<Exec, XView>();
    check_view<Exec, StatView, 1>();
    batch_norm::check_images<Exec, YView>();
    const auto& [mean, scale, bias] = channels;
    const auto& [other_mean, other_scale, other_bias] = other_channels;
    using Map = batch_norm::ApplyPair<XView, StatView, YView>;
    batch_norm::map_matrix("paws::batch_norm::pair_relu_apply", exec,
                           Map{x, other, mean, scale, bias, other_mean, other_scale, other_bias, y}, x, other, y, mean,
                           scale, bias, other_mean, other_scale, other_bias);
}
}  // namespace paws::kernels
