#pragma once

#include <string>

#include "kernels/batch_norm/blocked.hpp"
#include "kernels/batch_norm/device_walk.hpp"

// The walks over matrices [R, C] that all passes of batch normalisation are. A pass is one of two:
//   a map has    void operator()(strip, width), which reads and writes the strip;
//   a sum has    Sums partial(strip, width), add(sums, others), and write(chunk, first, width, sums).

namespace paws::kernels::batch_norm
{
using EveryRow = Constant<1>;

/// Calls body(first channel, number of channels) for channels [begin, channels) in groups of `Width`, and for what is
/// left over in narrower groups. The widths of full groups are known to the compiler, which lets it keep a group in
/// registers.
template <int Width, class Body>
void for_each_group(int begin, int channels, const Body& body)
{
    int first = begin;
    for (; first + Width <= channels; first += Width)
    {
        body(first, Constant<Width>{});
    }
    if constexpr (Width > 16)
    {
        for_each_group<Width / 2>(first, channels, body);
    }
    else if (first < channels)
    {
        body(first, channels - first);
    }
}

/// Whether a device may read 16 bytes at a time: rows and arrays begin at multiples of that.
template <int Channels, class... View>
bool fits_vectors(int channels, const View&... views)
{
    return channels % Channels == 0 && (... && (reinterpret_cast<std::uintptr_t>(views.data()) % 16 == 0));
}

/// The chunks of x by `Chunk`<pass, channels of a strip>; `others` are the other arrays that the pass touches.
template <template <class, int> class Chunk, class Exec, class Pass, class XView, class... View>
void launch_on_device(const std::string& label, const Exec& exec, const Pass& pass, const XView& x,
                      const View&... others)
{
    using Stored = typename XView::non_const_value_type;
    constexpr int widest = static_cast<int>(16 / sizeof(Stored));
    const auto chunks = chunks_of<Exec>(x);
    const auto launch = [&](auto width)
    {
        using Block = Chunk<Pass, decltype(width)::value>;
        launch_blocks(label, exec, chunks.count(), Block{pass, chunks});
    };
    if (fits_vectors<widest>(chunks.channels, x, others...))
    {
        launch(Vector<widest>{});
    }
    else
    {
        launch(Vector<1>{});
    }
}

/// body(chunk, strip, width) for all chunks of x.
template <class Exec, class XView, class Body>
void launch_on_host(const std::string& label, const Exec& exec, const XView& x, const Body& body)
{
    using Team = typename Kokkos::TeamPolicy<Exec>::member_type;
    const auto chunks = chunks_of<Exec>(x);
    Kokkos::parallel_for(label, row_policy(exec, chunks.count()),
                         [=](const Team& team)
                         {
                             const std::int64_t chunk = team.league_rank();
                             const std::int64_t begin = chunks.begin(chunk);
                             const std::int64_t end = chunks.end(chunk);
                             for_each_group<host_lanes>(
                                 0, chunks.channels,
                                 [&](int first, auto width) {
                                     body(chunk, Strip<EveryRow>{begin, end, EveryRow{}, first}, width);
                                 });
                         });
}

/// body(chunk, first channel, strips) for all chunks and blocks of channels of x; see for_each_block.
template <class Exec, class T, class Body>
void launch_on_blocks(const std::string& label, const Exec& exec, const BlockedImages<T>& x, const Body& body)
{
    using Team = typename Kokkos::TeamPolicy<Exec>::member_type;
    const auto chunks = chunks_of<Exec>(x);
    Kokkos::parallel_for(label, row_policy(exec, chunks.count()),
                         [=](const Team& team)
                         {
                             const std::int64_t chunk = team.league_rank();
                             for_each_block(x, chunks, chunk,
                                            [&](int first, const auto& strips) { body(chunk, first, strips); });
                         });
}

/// map(strip, width) for all of x; `others` are the other arrays that it touches.
template <class Exec, class Map, class XView, class... View>
void map_matrix(const std::string& label, const Exec& exec, const Map& map, const XView& x, const View&... others)
{
    if constexpr (is_blocked<XView>)
    {
        launch_on_blocks(label, exec, x,
                         [=](std::int64_t, int, const auto& strips)
                         { strips([&](const auto& strip) { map(strip, BlockWidth{}); }); });
    }
    else if constexpr (runs_on_host<Exec>)
    {
        launch_on_host(label, exec, x, [=](std::int64_t, const auto& strip, auto width) { map(strip, width); });
    }
    else
    {
        launch_on_device<MapChunk>(label, exec, map, x, others...);
    }
}

/// Sums of every chunk of x by `sum`, written chunk by chunk.
template <class Exec, class Sum, class XView, class... View>
void sum_chunks(const std::string& label, const Exec& exec, const Sum& sum, const XView& x, const View&... others)
{
    if constexpr (is_blocked<XView>)
    {
        launch_on_blocks(label, exec, x,
                         [=](std::int64_t chunk, int first, const auto& strips)
                         {
                             Sums<typename Sum::Real, block_channels> sums;
                             bool empty = true;
                             strips(
                                 [&](const auto& strip)
                                 {
                                     const auto more = sum.partial(strip, BlockWidth{});
                                     empty ? void(sums = more) : Sum::add(sums, more);
                                     empty = false;
                                 });
                             sum.write(chunk, first, BlockWidth{}, sums);
                         });
    }
    else if constexpr (runs_on_host<Exec>)
    {
        launch_on_host(label, exec, x,
                       [=](std::int64_t chunk, const auto& strip, auto width)
                       { sum.write(chunk, strip.first, width, sum.partial(strip, width)); });
    }
    else
    {
        launch_on_device<SumChunk>(label, exec, sum, x, others...);
    }
}

/// What a single thread makes of its sum.
struct OwnSum
{
    KOKKOS_INLINE_FUNCTION double operator()(double sum) const { return sum; }
};

/// merge(channel, first chunk, step, all, whether to write) for every channel: what follows from the chunks' sums,
/// which `merge` takes from the first chunk on by steps, and adds up over the threads by all(sum).
template <class Exec, class Merge>
void merge_chunks(const std::string& label, const Exec& exec, int channels, const Merge& merge)
{
    if constexpr (runs_on_host<Exec>)
    {
        Kokkos::parallel_for(label, Kokkos::RangePolicy<Exec>(exec, 0, channels),
                             [=](std::int64_t c) { merge(c, 0, EveryRow{}, OwnSum{}, true); });
    }
    else
    {
        launch_blocks(label, exec, (channels + merged_channels - 1) / merged_channels,
                      MergeChannels<Merge>{merge, channels});
    }
}
}  // namespace paws::kernels::batch_norm
