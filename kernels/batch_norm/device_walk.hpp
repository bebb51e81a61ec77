#pragma once

#include <string>

#include "kernels/batch_norm/strips.hpp"

// What a block of threads on a device does with a chunk. Teams and launches can be another's than Kokkos': tests run
// blocks of many threads on the host, where Kokkos' teams have one thread.

namespace paws::kernels::batch_norm
{
inline constexpr int block_threads = 256;

/// block(team) for `blocks` teams of block_threads, three of which have registers on a multiprocessor.
template <class Exec, class Block>
void launch_blocks(const std::string& label, const Exec& exec, std::int64_t blocks, const Block& block)
{
    using Policy = Kokkos::TeamPolicy<Exec, Kokkos::LaunchBounds<block_threads, 3>>;
    Policy policy(exec, static_cast<int>(blocks), block_threads);
    policy.set_scratch_size(0, Kokkos::PerTeam(Block::shared_bytes(block_threads)));
    Kokkos::parallel_for(label, policy, block);
}

/// A thread's place in a block that has `columns` side by side: several rows of threads if they are fewer than threads.
struct Place
{
    int columns;  ///< side by side at a time
    int rows;     ///< of threads
    int column;
    int row;

    template <class Team>
    KOKKOS_INLINE_FUNCTION Place(const Team& team, int all_columns)
        : columns(all_columns < team.team_size() ? all_columns : team.team_size()),
          rows(team.team_size() / columns),
          column(team.team_rank() % columns),
          row(team.team_rank() / columns)
    {
    }
    /// Threads that no full row is left for have nothing to do.
    KOKKOS_INLINE_FUNCTION bool works() const { return row < rows; }
};

/// Adds the values of a column's threads up, in a fixed order, into that of its first. shared: one value a thread; the
/// caller's writes need no barrier, all threads call this.
template <class Team, class Value, class Add>
KOKKOS_INLINE_FUNCTION void fold_rows(const Team& team, const Place& place, Value* shared, const Add& add)
{
    team.team_barrier();
    for (int rows = place.rows; rows > 1;)
    {
        const int half = (rows + 1) / 2;
        if (place.row + half < rows)
        {
            add(shared[team.team_rank()], shared[team.team_rank() + half * place.columns]);
        }
        team.team_barrier();
        rows = half;
    }
}

template <class Map, int Channels>
struct MapChunk
{
    Map map;
    Chunks chunks;

    KOKKOS_INLINE_FUNCTION static std::size_t shared_bytes(int) { return 0; }

    template <class Team>
    KOKKOS_INLINE_FUNCTION void operator()(const Team& team) const
    {
        const int groups = chunks.channels / Channels;
        const Place place(team, groups);
        const std::int64_t begin = chunks.begin(team.league_rank());
        const std::int64_t end = chunks.end(team.league_rank());
        if (place.works())
        {
            for (int group = place.column; group < groups; group += place.columns)
            {
                map(Strip<int>{begin + place.row, end, place.rows, group * Channels}, Vector<Channels>{});
            }
        }
    }
};

template <class Sum, int Channels>
struct SumChunk
{
    Sum sum;
    Chunks chunks;

    using Partial = Sums<typename Sum::Real, Channels>;

    KOKKOS_INLINE_FUNCTION static std::size_t shared_bytes(int threads)
    {
        return static_cast<std::size_t>(threads) * sizeof(Partial);
    }

    template <class Team>
    KOKKOS_INLINE_FUNCTION void operator()(const Team& team) const
    {
        const int groups = chunks.channels / Channels;
        const Place place(team, groups);
        const std::int64_t chunk = team.league_rank();
        const std::int64_t begin = chunks.begin(chunk);
        const std::int64_t end = chunks.end(chunk);
        constexpr Vector<Channels> width;
        if (place.rows == 1)
        {
            for (int group = place.column; place.works() && group < groups; group += place.columns)
            {
                const Strip<int> strip{begin, end, 1, group * Channels};
                sum.write(chunk, strip.first, width, sum.partial(strip, width));
            }
            return;
        }
        auto* const shared = static_cast<Partial*>(team.team_scratch(0).get_shmem(shared_bytes(team.team_size())));
        if (place.works())
        {
            const Strip<int> strip{begin + place.row, end, place.rows, place.column * Channels};
            shared[team.team_rank()] = sum.partial(strip, width);
        }
        fold_rows(team, place, shared, [&](Partial& into, const Partial& other) { Sum::add(into, other); });
        if (place.row == 0)
        {
            sum.write(chunk, place.column * Channels, width, shared[place.column]);
        }
    }
};

/// Channels that a block merges: as many doubles side by side as memory hands over at a time, and more.
inline constexpr int merged_channels = 32;

template <class Merge>
struct MergeChannels
{
    Merge merge;
    int channels;

    KOKKOS_INLINE_FUNCTION static std::size_t shared_bytes(int threads)
    {
        return static_cast<std::size_t>(threads) * sizeof(double);
    }

    template <class Team>
    KOKKOS_INLINE_FUNCTION void operator()(const Team& team) const
    {
        const Place place(team, merged_channels);
        auto* const shared = static_cast<double*>(team.team_scratch(0).get_shmem(shared_bytes(team.team_size())));
        const int channel = team.league_rank() * merged_channels + place.column;
        const auto all = [&](double value)
        {
            shared[team.team_rank()] = value;
            fold_rows(team, place, shared, [](double& into, double other) { into += other; });
            const double result = shared[place.column];
            // The next sum overwrites this one.
            team.team_barrier();
            return result;
        };
        // Threads beyond the last channel repeat it: barriers are for all threads of a block.
        merge(channel < channels ? channel : channels - 1, place.row, place.rows, all,
              place.row == 0 && channel < channels);
    }
};
}  // namespace paws::kernels::batch_norm
