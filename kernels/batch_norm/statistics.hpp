#pragma once

#include "kernels/batch_norm/walk.hpp"

namespace paws::kernels
{
/// The number of chunks on Exec that the scratch of batch normalisation's sums is sized by, for a matrix [rows,
/// channels].
template <class Exec>
std::int64_t batch_norm_chunks(std::int64_t rows, std::int64_t channels)
{
    return batch_norm::chunks_of<Exec>(rows, channels).count();
}
/// The same of images in blocks of channels.
inline std::int64_t batch_norm_blocked_chunks(std::int64_t images, std::int64_t pixels, std::int64_t channels)
{
    return batch_norm::blocked_chunks(images, pixels, static_cast<int>(channels)).count();
}

namespace batch_norm
{
/// Per channel the mean of a chunk, and the sum of squared deviations from it.
template <class XView, class ScratchView>
struct ChunkStatistics : ChunkSums<ScratchView>
{
    using Real = typename ScratchView::non_const_value_type;
    XView x;

    template <class Step, class Width>
    KOKKOS_FORCEINLINE_FUNCTION Sums<Real, capacity<Width>> partial(const Strip<Step>& strip, Width width) const
    {
        using Values = Lanes<Real, capacity<Width>>;
        Values mean, deviation;
        for (std::int64_t begin = strip.begin; begin < strip.end; begin += tile_rows<Width> * strip.step)
        {
            // A tile is read again for the deviations.
            const std::int64_t end = strip.end_of_tile(begin, tile_rows<Width>);
            Values tile_mean, tile_deviation;
            for (std::int64_t r = begin; r < end; r += strip.step)
            {
                const auto row = reading(&x(r, strip.first), width);
                for (int l = 0; l < width; ++l)
                {
                    tile_mean[l] += load(row[l]);
                }
            }
            const auto rows = static_cast<Real>(strip.rows_between(begin, end));
            const Real inverse_rows = Real(1) / rows;
            for (int l = 0; l < width; ++l)
            {
                tile_mean[l] *= inverse_rows;
            }
            for (std::int64_t r = begin; r < end; r += strip.step)
            {
                const auto row = reading(&x(r, strip.first), width);
                for (int l = 0; l < width; ++l)
                {
                    const Real off = load(row[l]) - tile_mean[l];
                    tile_deviation[l] += off * off;
                }
            }
            merge(mean, deviation, static_cast<Real>(strip.rows_between(strip.begin, begin)), tile_mean, tile_deviation,
                  rows, width);
        }
        return {mean, deviation, static_cast<int>(strip.rows_between(strip.begin, strip.end))};
    }

    template <int Size>
    KOKKOS_INLINE_FUNCTION static void add(Sums<Real, Size>& into, const Sums<Real, Size>& other)
    {
        if (other.rows > 0)
        {
            merge(into.first, into.second, static_cast<Real>(into.rows), other.first, other.second,
                  static_cast<Real>(other.rows), Vector<Size>{});
            into.rows += other.rows;
        }
    }

private:
    /// Chan's rule for two sets of values, the second not empty.
    template <int Size, class Width>
    KOKKOS_FORCEINLINE_FUNCTION static void merge(Lanes<Real, Size>& mean, Lanes<Real, Size>& deviation, Real before,
                                                  const Lanes<Real, Size>& other_mean,
                                                  const Lanes<Real, Size>& other_deviation, Real rows, Width width)
    {
        const Real share = rows / (before + rows);
        for (int l = 0; l < width; ++l)
        {
            const Real distance = other_mean[l] - mean[l];
            mean[l] += distance * share;
            deviation[l] += other_deviation[l] + distance * distance * before * share;
        }
    }
};

template <class ScratchView, class StatView, class AllChunks>
struct MergeStatistics
{
    using Real = typename StatView::non_const_value_type;
    ScratchView scratch;
    StatView mean, deviation;
    AllChunks chunks;

    template <class Step, class All>
    KOKKOS_INLINE_FUNCTION void operator()(std::int64_t channel, std::int64_t first, Step step, const All& all,
                                           bool writes) const
    {
        const auto rows_of = [&](std::int64_t chunk) { return static_cast<double>(chunks.rows_of(chunk)); };
        const std::int64_t count = chunks.count();
        double total = 0;
        for (std::int64_t chunk = first; chunk < count; chunk += step)
        {
            total += rows_of(chunk) * scratch(chunk, 0, channel);
        }
        const double merged_mean = all(total) / static_cast<double>(chunks.all_rows());
        double squares = 0;
        for (std::int64_t chunk = first; chunk < count; chunk += step)
        {
            const double distance = scratch(chunk, 0, channel) - merged_mean;
            squares += scratch(chunk, 1, channel) + rows_of(chunk) * distance * distance;
        }
        squares = all(squares);
        if (writes)
        {
            mean(channel) = static_cast<Real>(merged_mean);
            deviation(channel) = static_cast<Real>(squares);
        }
    }
};
}  // namespace batch_norm

/// Per channel the mean and the sum of squared deviations from it. x: [R, C]; mean, deviation: [C];
/// scratch: [chunks, 2, C]. A chunk is summed around means of its own, and chunks are merged in order by
///   mean = Σ n_i mean_i / R,   deviation = Σ (deviation_i + n_i (mean_i − mean)²),
/// so that large means cost no precision and every run gives the same bits.
template <class Exec, class XView, class StatView, class ScratchView>
void batch_norm_statistics(const Exec& exec, const XView& x, const StatView& mean, const StatView& deviation,
                           const ScratchView& scratch)
{
    batch_norm::check_images<Exec, XView>();
    check_view<Exec, StatView, 1>();
    check_view<Exec, ScratchView, 3>();
    batch_norm::sum_chunks("paws::batch_norm::chunk_statistics", exec,
                           batch_norm::ChunkStatistics<XView, ScratchView>{{scratch}, x}, x);
    const auto chunks = batch_norm::chunks_of<Exec>(x);
    batch_norm::merge_chunks("paws::batch_norm::merge_statistics", exec, chunks.channels,
                             batch_norm::MergeStatistics<ScratchView, StatView, std::decay_t<decltype(chunks)>>{
                                 scratch, mean, deviation, chunks});
}
}  // namespace paws::kernels
