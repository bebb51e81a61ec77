#pragma once

#include <limits>
#include <string>

#include "kernels/policies.hpp"
#include "kernels/storage_types.hpp"

// Batch normalisation with the ReLU that follows it, for pictures in channels-last order seen as [R, C], R = N·H·W.
// Memory is what bounds it: forward reads x twice and writes y once, backward reads x and grad_y twice and writes
// grad_x once; the ReLU's mask is computed again from x instead of being kept. At the end of a residual block the
// shortcut is added in the same pass. Statistics are separate functions, so that they can be summed over ranks between
// the two halves of either pass. Pictures are stored as double, float, bfloat16 or float16, and the values per channel
// are `Real`: double or float.

namespace paws::kernels
{
namespace batch_norm
{
/// Channels that one thread carries through a chunk of rows: four vector registers of 512 bits in float, so that rows
/// of up to 64 channels are read from end to end; on a device each thread has one channel.
template <class Exec>
inline constexpr int lanes = runs_on_host<Exec> ? 64 : 1;

/// Rows of a chunk: about 16 thousand values.
inline std::int64_t rows_per_chunk(std::int64_t channels)
{
    const std::int64_t rows = 16384 / (channels > 0 ? channels : 1);
    return rows > 1 ? rows : 1;
}

/// The rows [begin, end) of chunk number `chunk`, and the channels from `first` on.
struct Block
{
    std::int64_t chunk;
    std::int64_t begin;
    std::int64_t end;
    int first;
};

/// Calls body(first channel, number of channels) for channels [begin, channels) in groups of `Width`, each group by one
/// thread of the team, and for what is left over in narrower groups. The widths of full groups are known to the
/// compiler, which lets it keep a group in registers.
template <int Width, class Team, class Body>
KOKKOS_INLINE_FUNCTION void for_each_group(const Team& team, int begin, int channels, const Body& body)
{
    const int full = (channels - begin) / Width;
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, full),
                         [&](int group) { body(begin + group * Width, std::integral_constant<int, Width>{}); });
    const int left = begin + full * Width;
    if constexpr (Width > 16)
    {
        for_each_group<Width / 2>(team, left, channels, body);
    }
    else if (left < channels)
    {
        Kokkos::single(Kokkos::PerTeam(team), [&]() { body(left, channels - left); });
    }
}

/// The one walk over a matrix [rows, channels]: body(block, width) for every chunk of rows and group of channels.
template <class Exec, class Body>
void for_each_block(const std::string& label, const Exec& exec, std::int64_t rows, int channels, const Body& body)
{
    using Team = typename Kokkos::TeamPolicy<Exec>::member_type;
    const auto per_chunk = rows_per_chunk(channels);
    const auto chunks = (rows + per_chunk - 1) / per_chunk;
    Kokkos::parallel_for(
        label, row_policy(exec, chunks), KOKKOS_LAMBDA(const Team& team) {
            const std::int64_t chunk = team.league_rank();
            const std::int64_t begin = chunk * per_chunk;
            const std::int64_t end = begin + per_chunk < rows ? begin + per_chunk : rows;
            for_each_group<lanes<Exec>>(team, 0, channels,
                                        [&](int first, auto width) {
                                            body(Block{chunk, begin, end, first}, width);
                                        });
        });
}

/// `width` values of a row or of an array per channel, from channel `first` on.
template <class Real, int Size>
struct Lanes
{
    Real value[Size] = {};

    template <class View, class Width>
    KOKKOS_INLINE_FUNCTION static Lanes of(const View& view, int first, Width width)
    {
        Lanes result;
        for (int l = 0; l < width; ++l)
        {
            result.value[l] = view(first + l);
        }
        return result;
    }
    KOKKOS_INLINE_FUNCTION Real& operator[](int l) { return value[l]; }
    KOKKOS_INLINE_FUNCTION const Real& operator[](int l) const { return value[l]; }
};

/// What an apply pass without a shortcut has in its place.
struct NoAddend
{
};

template <class Exec, class XView, class ScratchView>
struct ChunkStatistics
{
    using Real = typename ScratchView::non_const_value_type;
    XView x;
    ScratchView scratch;

    template <class Width>
    KOKKOS_INLINE_FUNCTION void operator()(const Block& block, Width width) const
    {
        // Tiles of a chunk stay in the innermost cache between the walk for the mean and that for the deviations.
        constexpr std::int64_t tile_rows = 32;
        Lanes<Real, lanes<Exec>> mean, deviation;
        for (std::int64_t begin = block.begin; begin < block.end; begin += tile_rows)
        {
            const std::int64_t end = begin + tile_rows < block.end ? begin + tile_rows : block.end;
            Lanes<Real, lanes<Exec>> tile_mean, tile_deviation;
            for (std::int64_t r = begin; r < end; ++r)
            {
                const auto* const row = &x(r, block.first);
                for (int l = 0; l < width; ++l)
                {
                    tile_mean[l] += load(row[l]);
                }
            }
            const Real inverse_rows = Real(1) / static_cast<Real>(end - begin);
            for (int l = 0; l < width; ++l)
            {
                tile_mean[l] *= inverse_rows;
            }
            for (std::int64_t r = begin; r < end; ++r)
            {
                const auto* const row = &x(r, block.first);
                for (int l = 0; l < width; ++l)
                {
                    const Real off = load(row[l]) - tile_mean[l];
                    tile_deviation[l] += off * off;
                }
            }
            // Chan's rule for two sets of values.
            const auto before = static_cast<Real>(begin - block.begin);
            const Real share = static_cast<Real>(end - begin) / static_cast<Real>(end - block.begin);
            for (int l = 0; l < width; ++l)
            {
                const Real distance = tile_mean[l] - mean[l];
                mean[l] += distance * share;
                deviation[l] += tile_deviation[l] + distance * distance * before * share;
            }
        }
        for (int l = 0; l < width; ++l)
        {
            scratch(block.chunk, 0, block.first + l) = mean[l];
            scratch(block.chunk, 1, block.first + l) = deviation[l];
        }
    }
};

template <class Exec, class XView, class StatView, class AddendView, class YView>
struct Apply
{
    using Real = typename StatView::non_const_value_type;
    static constexpr bool adds = !std::is_same_v<AddendView, NoAddend>;
    XView x;
    StatView mean, scale, bias;
    AddendView addend;
    YView y;
    Real floor;

    template <class Width>
    KOKKOS_INLINE_FUNCTION void operator()(const Block& block, Width width) const
    {
        const auto m = Lanes<Real, lanes<Exec>>::of(mean, block.first, width);
        const auto a = Lanes<Real, lanes<Exec>>::of(scale, block.first, width);
        const auto b = Lanes<Real, lanes<Exec>>::of(bias, block.first, width);
        for (std::int64_t r = block.begin; r < block.end; ++r)
        {
            const auto* const in = &x(r, block.first);
            auto* const out = &y(r, block.first);
            for (int l = 0; l < width; ++l)
            {
                Real value = (load(in[l]) - m[l]) * a[l] + b[l];
                if constexpr (adds)
                {
                    value += load((&addend(r, block.first))[l]);
                }
                // Written so that a NaN goes through.
                store(out[l], value < floor ? floor : value);
            }
        }
    }
};

/// The end of a residual block whose shortcut has a batch norm of its own.
template <class Exec, class XView, class StatView, class YView>
struct ApplyPair
{
    using Real = typename StatView::non_const_value_type;
    XView x, other;
    StatView mean, scale, bias, other_mean, other_scale, other_bias;
    YView y;

    template <class Width>
    KOKKOS_INLINE_FUNCTION void operator()(const Block& block, Width width) const
    {
        using Values = Lanes<Real, lanes<Exec>>;
        const auto m = Values::of(mean, block.first, width);
        const auto a = Values::of(scale, block.first, width);
        const auto b = Values::of(bias, block.first, width);
        const auto other_m = Values::of(other_mean, block.first, width);
        const auto other_a = Values::of(other_scale, block.first, width);
        const auto other_b = Values::of(other_bias, block.first, width);
        for (std::int64_t r = block.begin; r < block.end; ++r)
        {
            const auto* const in = &x(r, block.first);
            const auto* const other_in = &other(r, block.first);
            auto* const out = &y(r, block.first);
            for (int l = 0; l < width; ++l)
            {
                const Real value = (load(in[l]) - m[l]) * a[l] + b[l];
                const Real other_value = (load(other_in[l]) - other_m[l]) * other_a[l] + other_b[l];
                const Real sum = value + other_value;
                // Written so that a NaN goes through.
                store(out[l], sum < Real(0) ? Real(0) : sum);
            }
        }
    }
};

/// The two sums of the backward pass over a chunk, into scratch.
template <class Exec, class XView, class StatView, class ScratchView>
struct ChunkGradientSums
{
    using Real = typename ScratchView::non_const_value_type;
    XView x, grad_y;
    StatView mean, scale, bias;
    Real floor;
    ScratchView scratch;

    template <class Width>
    KOKKOS_INLINE_FUNCTION void operator()(const Block& block, Width width) const
    {
        const auto m = Lanes<Real, lanes<Exec>>::of(mean, block.first, width);
        const auto a = Lanes<Real, lanes<Exec>>::of(scale, block.first, width);
        const auto b = Lanes<Real, lanes<Exec>>::of(bias, block.first, width);
        Lanes<Real, lanes<Exec>> sum, product;
        for (std::int64_t r = block.begin; r < block.end; ++r)
        {
            const auto* const in = &x(r, block.first);
            const auto* const grad = &grad_y(r, block.first);
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
        for (int l = 0; l < width; ++l)
        {
            scratch(block.chunk, 0, block.first + l) = sum[l];
            scratch(block.chunk, 1, block.first + l) = product[l];
        }
    }
};

/// The same sums behind a shortcut's addition; the gradient that the ReLU lets through is kept, for it is the
/// shortcut's.
template <class Exec, class XView, class YView, class StatView, class GradView, class ScratchView>
struct ChunkResidualGradientSums
{
    using Real = typename ScratchView::non_const_value_type;
    XView x, grad_y;
    YView y;
    StatView mean;
    GradView grad_addend;
    ScratchView scratch;

    template <class Width>
    KOKKOS_INLINE_FUNCTION void operator()(const Block& block, Width width) const
    {
        const auto m = Lanes<Real, lanes<Exec>>::of(mean, block.first, width);
        Lanes<Real, lanes<Exec>> sum, product;
        for (std::int64_t r = block.begin; r < block.end; ++r)
        {
            const auto* const in = &x(r, block.first);
            const auto* const grad = &grad_y(r, block.first);
            const auto* const out = &y(r, block.first);
            auto* const kept = &grad_addend(r, block.first);
            Lanes<Real, lanes<Exec>> g;
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
        }
        for (int l = 0; l < width; ++l)
        {
            scratch(block.chunk, 0, block.first + l) = sum[l];
            scratch(block.chunk, 1, block.first + l) = product[l];
        }
    }
};

template <class Exec, class XView, class StatView, class OutView>
struct BackwardApply
{
    using Real = typename StatView::non_const_value_type;
    XView x, grad_y;
    StatView mean, scale, bias, slope, offset;
    Real floor;
    OutView grad_x;

    template <class Width>
    KOKKOS_INLINE_FUNCTION void operator()(const Block& block, Width width) const
    {
        const auto m = Lanes<Real, lanes<Exec>>::of(mean, block.first, width);
        const auto a = Lanes<Real, lanes<Exec>>::of(scale, block.first, width);
        const auto b = Lanes<Real, lanes<Exec>>::of(bias, block.first, width);
        const auto k = Lanes<Real, lanes<Exec>>::of(slope, block.first, width);
        const auto o = Lanes<Real, lanes<Exec>>::of(offset, block.first, width);
        for (std::int64_t r = block.begin; r < block.end; ++r)
        {
            const auto* const in = &x(r, block.first);
            const auto* const grad = &grad_y(r, block.first);
            auto* const out = &grad_x(r, block.first);
            for (int l = 0; l < width; ++l)
            {
                const Real off = load(in[l]) - m[l];
                const Real passed = load(grad[l]);
                const Real g = off * a[l] + b[l] <= floor ? Real(0) : passed;
                store(out[l], a[l] * (g + k[l] * off + o[l]));
            }
        }
    }
};

/// What ReLU bounds values by from below.
template <class Real>
Real floor_of(bool relu)
{
    return relu ? Real(0) : -std::numeric_limits<Real>::infinity();
}

/// Sums of the chunks' gradient sums, in order.
template <class Exec, class OutView, class ScratchView>
void merge_gradient_sums(const Exec& exec, const OutView& grad_bias, const OutView& centred, const ScratchView& scratch,
                         std::int64_t chunks)
{
    using Real = typename OutView::non_const_value_type;
    Kokkos::parallel_for(
        "paws::batch_norm::backward_merge_sums", Kokkos::RangePolicy<Exec>(exec, 0, grad_bias.extent(0)),
        KOKKOS_LAMBDA(std::int64_t c) {
            double sum = 0;
            double product = 0;
            for (std::int64_t chunk = 0; chunk < chunks; ++chunk)
            {
                sum += scratch(chunk, 0, c);
                product += scratch(chunk, 1, c);
            }
            grad_bias(c) = static_cast<Real>(sum);
            centred(c) = static_cast<Real>(product);
        });
}
}  // namespace batch_norm

/// The number of chunks that the scratch of the functions below is sized by.
inline std::int64_t batch_norm_chunks(std::int64_t rows, std::int64_t channels)
{
    const auto chunk = batch_norm::rows_per_chunk(channels);
    return (rows + chunk - 1) / chunk;
}

/// Per channel the mean and the sum of squared deviations from it. x: [R, C]; mean, deviation: [C];
/// scratch: [chunks, 2, C]. A chunk is summed around means of its own, and chunks are merged in order by
///   mean = Σ n_i mean_i / R,   deviation = Σ (deviation_i + n_i (mean_i − mean)²),
/// so that large means cost no precision and every run gives the same bits.
template <class Exec, class XView, class StatView, class ScratchView>
void batch_norm_statistics(const Exec& exec, const XView& x, const StatView& mean, const StatView& deviation,
                           const ScratchView& scratch)
{
    check_view<Exec, XView, 2>();
    check_view<Exec, StatView, 1>();
    check_view<Exec, ScratchView, 3>();
    using Real = typename StatView::non_const_value_type;
    const auto rows = static_cast<std::int64_t>(x.extent(0));
    const auto channels = static_cast<int>(x.extent(1));
    batch_norm::for_each_block("paws::batch_norm::chunk_statistics", exec, rows, channels,
                               batch_norm::ChunkStatistics<Exec, XView, ScratchView>{x, scratch});
    const auto chunks = batch_norm_chunks(rows, channels);
    const auto per_chunk = batch_norm::rows_per_chunk(channels);
    const auto rows_of_last = static_cast<double>(rows - (chunks - 1) * per_chunk);
    Kokkos::parallel_for(
        "paws::batch_norm::merge_statistics", Kokkos::RangePolicy<Exec>(exec, 0, channels),
        KOKKOS_LAMBDA(std::int64_t c) {
            const auto rows_per = static_cast<double>(per_chunk);
            double total = rows_of_last * scratch(chunks - 1, 0, c);
            for (std::int64_t chunk = 0; chunk + 1 < chunks; ++chunk)
            {
                total += rows_per * scratch(chunk, 0, c);
            }
            const double merged_mean = total / static_cast<double>(rows);
            double squares = 0;
            for (std::int64_t chunk = 0; chunk < chunks; ++chunk)
            {
                const double distance = scratch(chunk, 0, c) - merged_mean;
                squares += scratch(chunk, 1, c) + (chunk + 1 < chunks ? rows_per : rows_of_last) * distance * distance;
            }
            mean(c) = static_cast<Real>(merged_mean);
            deviation(c) = static_cast<Real>(squares);
        });
}

/// y = max(0, (x − mean) · scale + bias), or without the bound when `relu` is off. x, y: [R, C], may be one array; the
/// others: [C]. With scale = γ / √(σ² + ε) it is batch norm (arXiv 1502.03167, algorithm 1). The mean is taken off
/// before scaling, not folded into the bias, which would lose the digits that a large mean has in common with x.
template <class Exec, class XView, class StatView, class YView>
void batch_norm_apply(const Exec& exec, const XView& x, const StatView& mean, const StatView& scale,
                      const StatView& bias, bool relu, const YView& y)
{
    check_view<Exec, XView, 2>();
    check_view<Exec, StatView, 1>();
    check_view<Exec, YView, 2>();
    using Real = typename StatView::non_const_value_type;
    batch_norm::for_each_block("paws::batch_norm::apply", exec, static_cast<std::int64_t>(x.extent(0)),
                               static_cast<int>(x.extent(1)),
                               batch_norm::Apply<Exec, XView, StatView, batch_norm::NoAddend, YView>{
                                   x, mean, scale, bias, {}, y, batch_norm::floor_of<Real>(relu)});
}

/// The end of a residual block: y = max(0, (x − mean) · scale + bias + addend). x, addend, y: [R, C], y may be x or
/// addend; the others: [C].
template <class Exec, class XView, class StatView, class YView>
void batch_norm_add_relu_apply(const Exec& exec, const XView& x, const StatView& mean, const StatView& scale,
                               const StatView& bias, const XView& addend, const YView& y)
{
    check_view<Exec, XView, 2>();
    check_view<Exec, StatView, 1>();
    check_view<Exec, YView, 2>();
    batch_norm::for_each_block(
        "paws::batch_norm::add_relu_apply", exec, static_cast<std::int64_t>(x.extent(0)), static_cast<int>(x.extent(1)),
        batch_norm::Apply<Exec, XView, StatView, XView, YView>{x, mean, scale, bias, addend, y, 0});
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
    check_view<Exec, XView, 2>();
    check_view<Exec, StatView, 1>();
    check_view<Exec, YView, 2>();
    batch_norm::for_each_block("paws::batch_norm::pair_relu_apply", exec, static_cast<std::int64_t>(x.extent(0)),
                               static_cast<int>(x.extent(1)),
                               batch_norm::ApplyPair<Exec, XView, StatView, YView>{
                                   x, other, channels.mean, channels.scale, channels.bias, other_channels.mean,
                                   other_channels.scale, other_channels.bias, y});
}

/// The two sums of the backward pass: grad_bias_c = Σ g and centred_c = Σ g (x − mean_c), with g = grad_y where the
/// ReLU let y through. x, grad_y: [R, C]; mean, scale, bias, grad_bias, centred: [C]; scratch: [chunks, 2, C].
template <class Exec, class XView, class StatView, class OutView, class ScratchView>
void batch_norm_backward_sums(const Exec& exec, const XView& x, const XView& grad_y, const StatView& mean,
                              const StatView& scale, const StatView& bias, bool relu, const OutView& grad_bias,
                              const OutView& centred, const ScratchView& scratch)
{
    check_view<Exec, XView, 2>();
    check_view<Exec, StatView, 1>();
    check_view<Exec, OutView, 1>();
    check_view<Exec, ScratchView, 3>();
    using Real = typename OutView::non_const_value_type;
    const auto rows = static_cast<std::int64_t>(x.extent(0));
    const auto channels = static_cast<int>(x.extent(1));
    batch_norm::for_each_block("paws::batch_norm::backward_chunk_sums", exec, rows, channels,
                               batch_norm::ChunkGradientSums<Exec, XView, StatView, ScratchView>{
                                   x, grad_y, mean, scale, bias, batch_norm::floor_of<Real>(relu), scratch});
    batch_norm::merge_gradient_sums(exec, grad_bias, centred, scratch, batch_norm_chunks(rows, channels));
}

/// The same sums for y = max(0, bn(x) + addend), and grad_addend = g = grad_y where y > 0. x, grad_y, y, grad_addend:
/// [R, C], grad_addend may be grad_y; mean, grad_bias, centred: [C]; scratch: [chunks, 2, C]. The gradient of x is then
/// batch_norm_backward_apply of g without ReLU.
template <class Exec, class XView, class StatView, class GradView, class OutView, class ScratchView>
void batch_norm_add_relu_backward_sums(const Exec& exec, const XView& x, const XView& grad_y, const XView& y,
                                       const StatView& mean, const GradView& grad_addend, const OutView& grad_bias,
                                       const OutView& centred, const ScratchView& scratch)
{
    check_view<Exec, XView, 2>();
    check_view<Exec, StatView, 1>();
    check_view<Exec, GradView, 2>();
    check_view<Exec, OutView, 1>();
    check_view<Exec, ScratchView, 3>();
    const auto rows = static_cast<std::int64_t>(x.extent(0));
    const auto channels = static_cast<int>(x.extent(1));
    batch_norm::for_each_block(
        "paws::batch_norm::add_relu_backward_chunk_sums", exec, rows, channels,
        batch_norm::ChunkResidualGradientSums<Exec, XView, XView, StatView, GradView, ScratchView>{
            x, grad_y, y, mean, grad_addend, scratch});
    batch_norm::merge_gradient_sums(exec, grad_bias, centred, scratch, batch_norm_chunks(rows, channels));
}

/// grad_x = scale (g + slope (x − mean) + offset), per channel, with g = grad_y where the ReLU let y through. x,
/// grad_y, grad_x: [R, C], grad_x may be grad_y; the others: [C]. For batch statistics over R rows, slope = −centred /
/// (R (σ² + ε)) and offset = −grad_bias / R; for frozen statistics both are zero.
template <class Exec, class XView, class StatView, class OutView>
void batch_norm_backward_apply(const Exec& exec, const XView& x, const XView& grad_y, const StatView& mean,
                               const StatView& scale, const StatView& bias, const StatView& slope,
                               const StatView& offset, bool relu, const OutView& grad_x)
{
    check_view<Exec, XView, 2>();
    check_view<Exec, StatView, 1>();
    check_view<Exec, OutView, 2>();
    using Real = typename StatView::non_const_value_type;
    batch_norm::for_each_block(
        "paws::batch_norm::backward_apply", exec, static_cast<std::int64_t>(x.extent(0)), static_cast<int>(x.extent(1)),
        batch_norm::BackwardApply<Exec, XView, StatView, OutView>{x, grad_y, mean, scale, bias, slope, offset,
                                                                  batch_norm::floor_of<Real>(relu), grad_x});
}
}  // namespace paws::kernels
