#pragma once

#include <cmath>
#include <limits>

#include "kernels/bfloat16.hpp"
#include "kernels/policies.hpp"

// Batch normalisation with the ReLU that follows it, for pictures in channels-last order seen as [R, C], R = N·H·W.
// Memory is what bounds it: forward reads x twice and writes y once, backward reads x and grad_y twice and writes
// grad_x once; the ReLU's mask is computed again from x instead of being kept. Statistics are separate functions, so
// that they can be summed over ranks between the two halves of either pass.

namespace paws::kernels
{
namespace batch_norm
{
/// Channels that one thread carries through a chunk of rows: a vector register on a CPU, one per thread on a device.
template <class Exec>
inline constexpr int lanes = runs_on_host<Exec> ? 16 : 1;

/// Rows of a chunk: about 16 thousand values, which the second walk over them finds in the cache.
inline std::int64_t rows_per_chunk(std::int64_t channels)
{
    const std::int64_t rows = 16384 / (channels > 0 ? channels : 1);
    return rows > 1 ? rows : 1;
}

/// Calls body(first channel, number of channels) for the channels in groups of `lanes`, each group by one thread of the
/// team. The full groups have a number that the compiler knows, which lets it keep a group in a register.
template <class Exec, class Team, class Body>
KOKKOS_INLINE_FUNCTION void for_each_group(const Team& team, int channels, const Body& body)
{
    constexpr int width = lanes<Exec>;
    const int full = channels / width;
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, full),
                         [&](int group) { body(group * width, std::integral_constant<int, width>{}); });
    if (full * width < channels)
    {
        Kokkos::single(Kokkos::PerTeam(team), [&]() { body(full * width, channels - full * width); });
    }
}
}  // namespace batch_norm

/// The number of chunks that the scratch of the functions below is sized by.
inline std::int64_t batch_norm_chunks(std::int64_t rows, std::int64_t channels)
{
    const auto chunk = batch_norm::rows_per_chunk(channels);
    return (rows + chunk - 1) / chunk;
}

/// Per channel the mean and the sum of squared deviations from it. x: [R, C]; mean, deviation: [C];
/// scratch: [chunks, 2, C]. A chunk is summed around its own mean, and chunks are merged in order (Chan's rule), so
/// that large means cost no precision and every run gives the same bits.
template <class Exec, class XView, class StatView, class ScratchView>
void batch_norm_statistics(const Exec& exec, const XView& x, const StatView& mean, const StatView& deviation,
                           const ScratchView& scratch)
{
    check_view<Exec, XView, 2>();
    check_view<Exec, StatView, 1>();
    check_view<Exec, ScratchView, 3>();
    using Real = typename StatView::non_const_value_type;
    using Team = typename Kokkos::TeamPolicy<Exec>::member_type;
    const auto rows = static_cast<std::int64_t>(x.extent(0));
    const auto channels = static_cast<int>(x.extent(1));
    const auto per_chunk = batch_norm::rows_per_chunk(channels);
    const auto chunks = batch_norm_chunks(rows, channels);
    Kokkos::parallel_for(
        "paws::batch_norm::chunk_statistics", row_policy(exec, chunks), KOKKOS_LAMBDA(const Team& team) {
            const std::int64_t chunk = team.league_rank();
            const std::int64_t begin = chunk * per_chunk;
            const std::int64_t end = begin + per_chunk < rows ? begin + per_chunk : rows;
            batch_norm::for_each_group<Exec>(team, channels,
                                             [&](int first, auto width)
                                             {
                                                 Real sum[batch_norm::lanes<Exec>] = {};
                                                 Real squares[batch_norm::lanes<Exec>] = {};
                                                 for (std::int64_t r = begin; r < end; ++r)
                                                 {
                                                     for (int l = 0; l < width; ++l)
                                                     {
                                                         sum[l] += load(x(r, first + l));
                                                     }
                                                 }
                                                 for (int l = 0; l < width; ++l)
                                                 {
                                                     sum[l] /= static_cast<Real>(end - begin);
                                                 }
                                                 for (std::int64_t r = begin; r < end; ++r)
                                                 {
                                                     for (int l = 0; l < width; ++l)
                                                     {
                                                         const Real off = load(x(r, first + l)) - sum[l];
                                                         squares[l] += off * off;
                                                     }
                                                 }
                                                 for (int l = 0; l < width; ++l)
                                                 {
                                                     scratch(chunk, 0, first + l) = sum[l];
                                                     scratch(chunk, 1, first + l) = squares[l];
                                                 }
                                             });
        });
    Kokkos::parallel_for(
        "paws::batch_norm::merge_statistics", Kokkos::RangePolicy<Exec>(exec, 0, channels),
        KOKKOS_LAMBDA(std::int64_t c) {
            double merged_mean = 0;
            double merged = 0;
            double count = 0;
            for (std::int64_t chunk = 0; chunk < chunks; ++chunk)
            {
                const std::int64_t begin = chunk * per_chunk;
                const auto added = static_cast<double>((begin + per_chunk < rows ? begin + per_chunk : rows) - begin);
                const double distance = scratch(chunk, 0, c) - merged_mean;
                const double total = count + added;
                merged += scratch(chunk, 1, c) + distance * distance * count * added / total;
                merged_mean += distance * added / total;
                count = total;
            }
            mean(c) = static_cast<Real>(merged_mean);
            deviation(c) = static_cast<Real>(merged);
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
    using Team = typename Kokkos::TeamPolicy<Exec>::member_type;
    const auto rows = static_cast<std::int64_t>(x.extent(0));
    const auto channels = static_cast<int>(x.extent(1));
    const auto per_chunk = batch_norm::rows_per_chunk(channels);
    const Real floor = relu ? Real(0) : -std::numeric_limits<Real>::infinity();
    Kokkos::parallel_for(
        "paws::batch_norm::apply", row_policy(exec, batch_norm_chunks(rows, channels)),
        KOKKOS_LAMBDA(const Team& team) {
            const std::int64_t begin = team.league_rank() * per_chunk;
            const std::int64_t end = begin + per_chunk < rows ? begin + per_chunk : rows;
            batch_norm::for_each_group<Exec>(team, channels,
                                             [&](int first, auto width)
                                             {
                                                 Real m[batch_norm::lanes<Exec>];
                                                 Real a[batch_norm::lanes<Exec>];
                                                 Real b[batch_norm::lanes<Exec>];
                                                 for (int l = 0; l < width; ++l)
                                                 {
                                                     m[l] = mean(first + l);
                                                     a[l] = scale(first + l);
                                                     b[l] = bias(first + l);
                                                 }
                                                 for (std::int64_t r = begin; r < end; ++r)
                                                 {
                                                     for (int l = 0; l < width; ++l)
                                                     {
                                                         const Real value =
                                                             (load(x(r, first + l)) - m[l]) * a[l] + b[l];
                                                         // Written so that a NaN goes through.
                                                         store(y(r, first + l), value < floor ? floor : value);
                                                     }
                                                 }
                                             });
        });
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
    using Team = typename Kokkos::TeamPolicy<Exec>::member_type;
    const auto rows = static_cast<std::int64_t>(x.extent(0));
    const auto channels = static_cast<int>(x.extent(1));
    const auto per_chunk = batch_norm::rows_per_chunk(channels);
    const auto chunks = batch_norm_chunks(rows, channels);
    const Real floor = relu ? Real(0) : -std::numeric_limits<Real>::infinity();
    Kokkos::parallel_for(
        "paws::batch_norm::backward_chunk_sums", row_policy(exec, chunks), KOKKOS_LAMBDA(const Team& team) {
            const std::int64_t chunk = team.league_rank();
            const std::int64_t begin = chunk * per_chunk;
            const std::int64_t end = begin + per_chunk < rows ? begin + per_chunk : rows;
            batch_norm::for_each_group<Exec>(team, channels,
                                             [&](int first, auto width)
                                             {
                                                 Real sum[batch_norm::lanes<Exec>] = {};
                                                 Real product[batch_norm::lanes<Exec>] = {};
                                                 Real a[batch_norm::lanes<Exec>];
                                                 Real b[batch_norm::lanes<Exec>];
                                                 Real m[batch_norm::lanes<Exec>];
                                                 for (int l = 0; l < width; ++l)
                                                 {
                                                     a[l] = scale(first + l);
                                                     b[l] = bias(first + l);
                                                     m[l] = mean(first + l);
                                                 }
                                                 for (std::int64_t r = begin; r < end; ++r)
                                                 {
                                                     for (int l = 0; l < width; ++l)
                                                     {
                                                         const Real off = load(x(r, first + l)) - m[l];
                                                         // Loaded in any case: a load under a condition keeps the loop
                                                         // from being vectorised.
                                                         const Real passed = load(grad_y(r, first + l));
                                                         const Real g = off * a[l] + b[l] > floor ? passed : Real(0);
                                                         sum[l] += g;
                                                         product[l] += g * off;
                                                     }
                                                 }
                                                 for (int l = 0; l < width; ++l)
                                                 {
                                                     scratch(chunk, 0, first + l) = sum[l];
                                                     scratch(chunk, 1, first + l) = product[l];
                                                 }
                                             });
        });
    Kokkos::parallel_for(
        "paws::batch_norm::backward_merge_sums", Kokkos::RangePolicy<Exec>(exec, 0, channels),
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

/// grad_x = scale (g + slope (x − mean) + offset), per channel, with g = grad_y where the ReLU let y through. For batch
/// statistics over R rows, slope = −centred / (R (σ² + ε)) and offset = −grad_bias / R; for frozen statistics both are
/// zero.
template <class Exec, class XView, class StatView, class OutView>
void batch_norm_backward_apply(const Exec& exec, const XView& x, const XView& grad_y, const StatView& mean,
                               const StatView& scale, const StatView& bias, const StatView& slope,
                               const StatView& offset, bool relu, const OutView& grad_x)
{
    check_view<Exec, XView, 2>();
    check_view<Exec, StatView, 1>();
    check_view<Exec, OutView, 2>();
    using Real = typename StatView::non_const_value_type;
    using Team = typename Kokkos::TeamPolicy<Exec>::member_type;
    const auto rows = static_cast<std::int64_t>(x.extent(0));
    const auto channels = static_cast<int>(x.extent(1));
    const auto per_chunk = batch_norm::rows_per_chunk(channels);
    const Real floor = relu ? Real(0) : -std::numeric_limits<Real>::infinity();
    Kokkos::parallel_for(
        "paws::batch_norm::backward_apply", row_policy(exec, batch_norm_chunks(rows, channels)),
        KOKKOS_LAMBDA(const Team& team) {
            const std::int64_t begin = team.league_rank() * per_chunk;
            const std::int64_t end = begin + per_chunk < rows ? begin + per_chunk : rows;
            batch_norm::for_each_group<Exec>(team, channels,
                                             [&](int first, auto width)
                                             {
                                                 Real m[batch_norm::lanes<Exec>];
                                                 Real a[batch_norm::lanes<Exec>];
                                                 Real b[batch_norm::lanes<Exec>];
                                                 Real k[batch_norm::lanes<Exec>];
                                                 Real o[batch_norm::lanes<Exec>];
                                                 for (int l = 0; l < width; ++l)
                                                 {
                                                     m[l] = mean(first + l);
                                                     a[l] = scale(first + l);
                                                     b[l] = bias(first + l);
                                                     k[l] = slope(first + l);
                                                     o[l] = offset(first + l);
                                                 }
                                                 for (std::int64_t r = begin; r < end; ++r)
                                                 {
                                                     for (int l = 0; l < width; ++l)
                                                     {
                                                         const Real off = load(x(r, first + l)) - m[l];
                                                         const Real passed = load(grad_y(r, first + l));
                                                         const Real g = off * a[l] + b[l] > floor ? passed : Real(0);
                                                         store(grad_x(r, first + l), a[l] * (g + k[l] * off + o[l]));
                                                     }
                                                 }
                                             });
        });
}
}  // namespace paws::kernels
