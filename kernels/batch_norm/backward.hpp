#pragma once

#include "kernels/batch_norm/forward.hpp"

namespace paws::kernels
{
namespace batch_norm
{
/// What both sums of gradients have in common: sums are added as they are.
template <class ScratchView>
struct GradientSums : ChunkSums<ScratchView>
{
    using Real = typename ScratchView::non_const_value_type;

    template <int Size>
    KOKKOS_INLINE_FUNCTION static void add(Sums<Real, Size>& into, const Sums<Real, Size>& other)
    {
        for (int l = 0; l < Size; ++l)
        {
            into.first[l] += other.first[l];
            into.second[l] += other.second[l];
        }
    }
};

template <class XView, class StatView, class ScratchView>
struct ChunkGradientSums : GradientSums<ScratchView>
{
    using Real = typename ScratchView::non_const_value_type;
    XView x, grad_y;
    StatView mean, scale, bias;
    Real floor;

    template <class Step, class Width>
    KOKKOS_FORCEINLINE_FUNCTION Sums<Real, capacity<Width>> partial(const Strip<Step>& strip, Width width) const
    {
        const auto m = channel_values(mean, strip.first, width);
        const auto a = channel_values(scale, strip.first, width);
        const auto b = channel_values(bias, strip.first, width);
        Lanes<Real, capacity<Width>> sum, product;
        for (std::int64_t r = strip.begin; r < strip.end; r += strip.step)
        {
            const auto in = reading(&x(r, strip.first), width);
            const auto grad = reading(&grad_y(r, strip.first), width);
            for (int l = 0; l < width; ++l)
            {
                const Real off = load(in[l]) - m[l];
                // Loaded in any case: a load under a condition keeps the loop from being vectorised.
                const Real passed = load(grad[l]);
                const Real g = off * a[l] + b[l] <= floor ? Real(0) : passed;
                sum[l] += g;
                product[l] += g * off;
            }
        }
        return {sum, product};
    }
};

/// The same sums behind a shortcut's addition; the gradient that the ReLU lets through is kept, for it is the
/// shortcut's.
template <class XView, class YView, class StatView, class GradView, class ScratchView>
struct ChunkResidualGradientSums : GradientSums<ScratchView>
{
    using Real = typename ScratchView::non_const_value_type;
    XView x, grad_y;
    YView y;
    StatView mean;
    GradView grad_addend;

    template <class Step, class Width>
    KOKKOS_FORCEINLINE_FUNCTION Sums<Real, capacity<Width>> partial(const Strip<Step>& strip, Width width) const
    {
        const auto m = channel_values(mean, strip.first, width);
        Lanes<Real, capacity<Width>> sum, product;
        for (std::int64_t r = strip.begin; r < strip.end; r += strip.step)
        {
            const auto in = reading(&x(r, strip.first), width);
            const auto grad = reading(&grad_y(r, strip.first), width);
            const auto out = reading(&y(r, strip.first), width);
            auto kept = writing(&grad_addend(r, strip.first), width);
            Lanes<Real, capacity<Width>> g;
            for (int l = 0; l < width; ++l)
            {
                const Real passed = load(grad[l]);
                g[l] = load(out[l]) <= Real(0) ? Real(0) : passed;
            }
            // Loops of their own: with the store in it, GCC 12 gives up on vectorising the one loop.
            for (int l = 0; l < width; ++l)
            {
                sum[l] += g[l];
                product[l] += g[l] * (load(in[l]) - m[l]);
            }
            for (int l = 0; l < width; ++l)
            {
                store(kept[l], g[l]);
            }
            written(kept, &grad_addend(r, strip.first));
        }
        return {sum, product};
    }
};

template <class ScratchView, class OutView>
struct MergeGradientSums
{
    using Real = typename OutView::non_const_value_type;
    ScratchView scratch;
    OutView grad_bias, centred;
    std::int64_t chunks;

    template <class Step, class All>
    KOKKOS_INLINE_FUNCTION void operator()(std::int64_t channel, std::int64_t first, Step step, const All& all,
                                           bool writes) const
    {
        double sum = 0;
        double product = 0;
        for (std::int64_t chunk = first; chunk < chunks; chunk += step)
        {
            sum += scratch(chunk, 0, channel);
            product += scratch(chunk, 1, channel);
        }
        sum = all(sum);
        product = all(product);
        if (writes)
        {
            grad_bias(channel) = static_cast<Real>(sum);
            centred(channel) = static_cast<Real>(product);
        }
    }
};

/// grad_bias and centred, both [C], from the sums of the chunks.
template <class Exec, class AllChunks, class ScratchView, class OutView>
void merge_gradient_sums(const Exec& exec, const AllChunks& chunks, const ScratchView& scratch,
                         const OutView& grad_bias, const OutView& centred)
{
    merge_chunks("paws::batch_norm::backward_merge_sums", exec, chunks.channels,
                 MergeGradientSums<ScratchView, OutView>{scratch, grad_bias, centred, chunks.count()});
}

template <class XView, class StatView, class AddendView, class OutView>
struct BackwardApply
{
    using Real = typename StatView::non_const_value_type;
    static constexpr bool adds = !std::is_same_v<AddendView, NoAddend>;
    XView x, grad_y;
    StatView mean, scale, bias, slope, offset;
    Real floor;
    AddendView addend;
    OutView grad_x;

    template <class Step, class Width>
    KOKKOS_INLINE_FUNCTION void operator()(const Strip<Step>& strip, Width width) const
    {
        const auto m = channel_values(mean, strip.first, width);
        const auto a = channel_values(scale, strip.first, width);
        const auto b = channel_values(bias, strip.first, width);
        const auto k = channel_values(slope, strip.first, width);
        const auto o = channel_values(offset, strip.first, width);
        for (std::int64_t r = strip.begin; r < strip.end; r += strip.step)
        {
            const auto in = reading(&x(r, strip.first), width);
            const auto grad = reading(&grad_y(r, strip.first), width);
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
            auto out = writing(&grad_x(r, strip.first), width);
            for (int l = 0; l < width; ++l)
            {
                const Real off = load(in[l]) - m[l];
                const Real passed = load(grad[l]);
                const Real g = off * a[l] + b[l] <= floor ? Real(0) : passed;
                Real value = a[l] * (g + k[l] * off + o[l]);
                if constexpr (adds)
                {
                    value += load(added[l]);
                }
                store(out[l], value);
            }
            written(out, &grad_x(r, strip.first));
        }
    }
};
}  // namespace batch_norm

/// The two sums of the backward pass: grad_bias_c = Σ g and centred_c = Σ g (x − mean_c), with g = grad_y where the
/// ReLU let y through. x, grad_y: [R, C]; mean, scale, bias, grad_bias, centred: [C]; scratch: [chunks, 2, C].
template <class Exec, class XView, class StatView, class OutView, class ScratchView>
void batch_norm_backward_sums(const Exec& exec, const XView& x, const XView& grad_y, const StatView& mean,
                              const StatView& scale, const StatView& bias, bool relu, const OutView& grad_bias,
                              const OutView& centred, const ScratchView& scratch)
{
    batch_norm::check_images<Exec, XView>();
    check_view<Exec, StatView, 1>();
    check_view<Exec, OutView, 1>();
    check_view<Exec, ScratchView, 3>();
    using Real = typename OutView::non_const_value_type;
    using Sum = batch_norm::ChunkGradientSums<XView, StatView, ScratchView>;
    batch_norm::sum_chunks("paws::batch_norm::backward_chunk_sums", exec,
                           Sum{{{scratch}}, x, grad_y, mean, scale, bias, batch_norm::floor_of<Real>(relu)}, x, grad_y,
                           mean, scale, bias);
    batch_norm::merge_gradient_sums(exec, batch_norm::chunks_of<Exec>(x), scratch, grad_bias, centred);
}

/// The same sums for y = max(0, bn(x) + addend), and grad_addend = g = grad_y where y > 0. x, grad_y, y, grad_addend:
/// [R, C], grad_addend may be grad_y; mean, grad_bias, centred: [C]; scratch: [chunks, 2, C]. The gradient of x is then
/// batch_norm_backward_apply of g without ReLU.
template <class Exec, class XView, class StatView, class GradView, class OutView, class ScratchView>
void batch_norm_add_relu_backward_sums(const Exec& exec, const XView& x, const XView& grad_y, const XView& y,
                                       const StatView& mean, const GradView& grad_addend, const OutView& grad_bias,
                                       const OutView& centred, const ScratchView& scratch)
{
    batch_norm::check_images<Exec, XView>();
    check_view<Exec, StatView, 1>();
    batch_norm::check_images<Exec, GradView>();
    check_view<Exec, OutView, 1>();
    check_view<Exec, ScratchView, 3>();
    using Sum = batch_norm::ChunkResidualGradientSums<XView, XView, StatView, GradView, ScratchView>;
    batch_norm::sum_chunks("paws::batch_norm::add_relu_backward_chunk_sums", exec,
                           Sum{{{scratch}}, x, grad_y, y, mean, grad_addend}, x, grad_y, y, grad_addend, mean);
    batch_norm::merge_gradient_sums(exec, batch_norm::chunks_of<Exec>(x), scratch, grad_bias, centred);
}

/// grad_x = scale (g + slope (x − mean) + offset), per channel, with g = grad_y where the ReLU let y through. x,
/// grad_y, grad_x: [R, C], grad_x may be grad_y; the others: [C]. For batch statistics over R rows, slope = −centred /
/// (R (σ² + ε)) and offset = −grad_bias / R; for frozen statistics both are zero.
template <class Exec, class XView, class StatView, class OutView>
void batch_norm_backward_apply(const Exec& exec, const XView& x, const XView& grad_y, const StatView& mean,
                               const StatView& scale, const StatView& bias, const StatView& slope,
                               const StatView& offset, bool relu, const OutView& grad_x)
{
    batch_norm::check_images<Exec, XView>();
    check_view<Exec, StatView, 1>();
    batch_norm::check_images<Exec, OutView>();
    using Real = typename StatView::non_const_value_type;
    using Map = batch_norm::BackwardApply<XView, StatView, batch_norm::NoAddend, OutView>;
    batch_norm::map_matrix(
        "paws::batch_norm::backward_apply", exec,
        Map{x, grad_y, mean, scale, bias, slope, offset, batch_norm::floor_of<Real>(relu), {}, grad_x}, x, grad_y,
        grad_x, mean, scale, bias, slope, offset);
}

/// The same where x went another way as well, whose gradient is `addend` [R, C]: grad_x is the sum.
template <class Exec, class XView, class StatView, class OutView>
void batch_norm_backward_apply_add(const Exec& exec, const XView& x, const XView& grad_y, const StatView& mean,
                                   const StatView& scale, const StatView& bias, const StatView& slope,
                                   const StatView& offset, bool relu, const XView& addend, const OutView& grad_x)
{
    batch_norm::check_images<Exec, XView>();
    check_view<Exec, StatView, 1>();
    batch_norm::check_images<Exec, OutView>();
    using Real = typename StatView::non_const_value_type;
    using Map = batch_norm::BackwardApply<XView, StatView, XView, OutView>;
    batch_norm::map_matrix(
        "paws::batch_norm::backward_apply_add", exec,
        Map{x, grad_y, mean, scale, bias, slope, offset, batch_norm::floor_of<Real>(relu), addend, grad_x}, x, grad_y,
        addend, grad_x, mean, scale, bias, slope, offset);
}
}  // namespace paws::kernels
