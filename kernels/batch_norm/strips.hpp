#pragma once

#include <cstdint>

#include "kernels/policies.hpp"
#include "kernels/storage_types.hpp"

// How batch normalisation's passes share a matrix [R, C] out. Chunks are runs of rows, which teams take; within a
// chunk a thread has a strip: some of its rows, and as many neighbouring channels as it can carry in registers.
//   On a host core a team is one thread, which walks through all rows of the chunk, 64 channels side by side.
//   On a device the threads of a block lie along the channels, each with the 16 bytes that one instruction reads, and
//   as many rows side by side as are left threads for, so that a block reads memory from end to end.

namespace paws::kernels::batch_norm
{
/// Values of a chunk.
inline constexpr std::int64_t chunk_values = 16384;

/// Chunks of a matrix on a device, at the most: what is merged after a pass must not take longer than the pass. They
/// fill a device's multiprocessors once.
inline constexpr std::int64_t most_chunks_on_device = 1024;

/// A matrix [rows, channels] in chunks of rows; the last one may be shorter.
struct Chunks
{
    std::int64_t rows;
    int channels;
    std::int64_t per_chunk;

    KOKKOS_INLINE_FUNCTION std::int64_t count() const { return (rows + per_chunk - 1) / per_chunk; }
    KOKKOS_INLINE_FUNCTION std::int64_t begin(std::int64_t chunk) const { return chunk * per_chunk; }
    KOKKOS_INLINE_FUNCTION std::int64_t end(std::int64_t chunk) const
    {
        return begin(chunk) + per_chunk < rows ? begin(chunk) + per_chunk : rows;
    }
    KOKKOS_INLINE_FUNCTION std::int64_t rows_of(std::int64_t chunk) const { return end(chunk) - begin(chunk); }
    KOKKOS_INLINE_FUNCTION std::int64_t all_rows() const { return rows; }
};

template <class Exec>
Chunks chunks_of(std::int64_t rows, std::int64_t channels)
{
    const std::int64_t usual = chunk_values / (channels > 0 ? channels : 1);
    const std::int64_t least = runs_on_host<Exec> ? 1 : (rows + most_chunks_on_device - 1) / most_chunks_on_device;
    const std::int64_t per_chunk = usual > least ? usual : least;
    return {rows, static_cast<int>(channels), per_chunk > 1 ? per_chunk : 1};
}

/// The chunks of a matrix on Exec.
template <class Exec, class View>
Chunks chunks_of(const View& matrix)
{
    return chunks_of<Exec>(static_cast<std::int64_t>(matrix.extent(0)), static_cast<std::int64_t>(matrix.extent(1)));
}

/// Rows begin, begin + step, … before `end`, and the channels from `first` on.
template <class Step>
struct Strip
{
    std::int64_t begin;
    std::int64_t end;
    Step step;
    int first;

    /// The end of `rows` rows of the strip from row `from` on.
    KOKKOS_INLINE_FUNCTION std::int64_t end_of_tile(std::int64_t from, std::int64_t rows) const
    {
        const std::int64_t last = from + rows * step;
        return last < end ? last : end;
    }
    KOKKOS_INLINE_FUNCTION std::int64_t rows_between(std::int64_t from, std::int64_t to) const
    {
        return (to - from + step - 1) / step;
    }
};

/// A number that the compiler knows, also in code for devices.
template <int Number>
struct Constant
{
    static constexpr int value = Number;
    KOKKOS_INLINE_FUNCTION constexpr operator int() const { return Number; }
};

/// The width of a strip on a device: channels that lie in memory as one aligned piece.
template <int Channels>
struct Vector : Constant<Channels>
{
};

/// Channels that a host core carries: four vector registers of 512 bits in float, so that rows of up to 64 channels are
/// read from end to end.
inline constexpr int host_lanes = 64;

template <class Width>
inline constexpr int capacity = host_lanes;
template <int Channels>
inline constexpr int capacity<Vector<Channels>> = Channels;

/// Rows that are read twice in a row: on a host core they stay in the innermost cache.
template <class Width>
inline constexpr std::int64_t tile_rows = 32;
template <int Channels>
inline constexpr std::int64_t tile_rows<Vector<Channels>> = 8;

/// Values that one instruction of a device reads or writes.
template <class T, int Channels>
struct alignas(sizeof(T) * Channels) Packed
{
    T value[Channels];

    KOKKOS_INLINE_FUNCTION T& operator[](int l) { return value[l]; }
    KOKKOS_INLINE_FUNCTION const T& operator[](int l) const { return value[l]; }
};

/// `width` values of a row from `place` on, to be read by their number. On the host that is the memory itself, which
/// compilers make vector code for.
template <class T, class Width>
KOKKOS_INLINE_FUNCTION const T* reading(const T* place, Width)
{
    return place;
}
template <class T, int Channels>
KOKKOS_INLINE_FUNCTION Packed<T, Channels> reading(const T* place, Vector<Channels>)
{
    return *reinterpret_cast<const Packed<T, Channels>*>(place);
}

/// The same to be written, each value once, and then `written` to memory.
template <class T, class Width>
KOKKOS_INLINE_FUNCTION T* writing(T* place, Width)
{
    return place;
}
template <class T, int Channels>
KOKKOS_INLINE_FUNCTION Packed<T, Channels> writing(T*, Vector<Channels>)
{
    return {};
}
template <class T>
KOKKOS_INLINE_FUNCTION void written(T*, T*)
{
}
template <class T, int Channels>
KOKKOS_INLINE_FUNCTION void written(const Packed<T, Channels>& values, T* place)
{
    *reinterpret_cast<Packed<T, Channels>*>(place) = values;
}

/// Values in registers, one a channel.
template <class Real, int Size>
struct Lanes
{
    Real value[Size] = {};

    KOKKOS_INLINE_FUNCTION Real& operator[](int l) { return value[l]; }
    KOKKOS_INLINE_FUNCTION const Real& operator[](int l) const { return value[l]; }
};

/// The values of an array [C] for the channels of a strip.
template <class View, class Width>
KOKKOS_INLINE_FUNCTION auto channel_values(const View& view, int first, Width width)
{
    Lanes<typename View::non_const_value_type, capacity<Width>> result;
    for (int l = 0; l < width; ++l)
    {
        result[l] = view(first + l);
    }
    return result;
}
template <class View, int Channels>
KOKKOS_INLINE_FUNCTION auto channel_values(const View& view, int first, Vector<Channels>)
{
    using Real = typename View::non_const_value_type;
    constexpr int piece = Channels * sizeof(Real) > 16 ? static_cast<int>(16 / sizeof(Real)) : Channels;
    Lanes<Real, Channels> result;
    for (int begin = 0; begin < Channels; begin += piece)
    {
        const auto values = reading(&view(first + begin), Vector<piece>{});
        for (int l = 0; l < piece; ++l)
        {
            result[begin + l] = values[l];
        }
    }
    return result;
}

/// What a thread has summed up over the rows of its strip: two values a channel.
template <class Real, int Size>
struct Sums
{
    Lanes<Real, Size> first, second;
    int rows = 0;
};

/// Where the sums of chunks go: scratch [chunks, 2, C].
template <class ScratchView>
struct ChunkSums
{
    using Real = typename ScratchView::non_const_value_type;
    ScratchView scratch;

    template <class Width, int Size>
    KOKKOS_INLINE_FUNCTION void write(std::int64_t chunk, int first, Width width, const Sums<Real, Size>& sums) const
    {
        for (int l = 0; l < width; ++l)
        {
            scratch(chunk, 0, first + l) = sums.first[l];
            scratch(chunk, 1, first + l) = sums.second[l];
        }
    }
};
}  // namespace paws::kernels::batch_norm
