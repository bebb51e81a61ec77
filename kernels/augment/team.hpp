#pragma once

#include <Kokkos_Core.hpp>

#include <cstdint>
#include <type_traits>

#include "kernels/policies.hpp"

// One team works on one view. On a host the team is one thread, which takes spans of consecutive pixels so that the
// compiler vectorises the loops over them; on a device a block of threads takes one pixel each.

// One step over all pixels of a view. On a host it is compiled by itself: where GCC inlines one into the other, it
// gives up on vectorising some of the loops, which makes them several times slower. A compiler for both goes over the
// source once for each of them.
#if defined(__CUDA_ARCH__) || defined(__HIP_DEVICE_COMPILE__) || defined(__SYCL_DEVICE_ONLY__) || !defined(__GNUC__)
#define PAWS_STEP_FUNCTION KOKKOS_INLINE_FUNCTION
#else
#define PAWS_STEP_FUNCTION KOKKOS_FUNCTION __attribute__((noinline))
#endif

namespace paws::kernels::augment
{
inline constexpr int channels = 3;

/// An image in the team's scratch memory, one channel after the other: value(channel, row, column) is at
/// data[(channel * height + row) * width + column]. Planes vectorise, the interleaved pixels of files do not.
struct Planes
{
    std::uint8_t* data;
    int height;
    int width;

    KOKKOS_INLINE_FUNCTION int pixels() const { return height * width; }
    KOKKOS_INLINE_FUNCTION std::uint8_t* plane(int channel) const { return data + channel * pixels(); }
};

/// The calling thread as a team of its own, for work outside of Kokkos' kernels.
struct HostTeam
{
    using execution_space = Kokkos::DefaultHostExecutionSpace;

    void team_barrier() const {}
};

/// Calls body once; all threads of the team see what it has done.
template <class Team, class Body>
KOKKOS_INLINE_FUNCTION void once(const Team& team, const Body& body)
{
    if constexpr (runs_on_host<typename Team::execution_space>)
    {
        body();
    }
    else
    {
        Kokkos::single(Kokkos::PerTeam(team), body);
        team.team_barrier();
    }
}

/// Calls body(row, begin, end) so that [begin, end) covers [0, columns) in each of the rows; ends with a barrier.
template <class Team, class Body>
KOKKOS_INLINE_FUNCTION void for_spans(const Team& team, int rows, int columns, const Body& body)
{
    if constexpr (runs_on_host<typename Team::execution_space>)
    {
        for (int row = 0; row < rows; ++row)
        {
            body(row, 0, columns);
        }
    }
    else
    {
        Kokkos::parallel_for(Kokkos::TeamVectorRange(team, rows * columns),
                             [&](int i)
                             {
                                 const int row = i / columns;
                                 const int column = i - row * columns;
                                 body(row, column, column + 1);
                             });
        team.team_barrier();
    }
}

/// Calls body with `count` as a compile-time constant if it is from 1 to 6, and with 0 otherwise, so that short inner
/// loops are unrolled and the loops around them vectorise.
template <class Body>
KOKKOS_FORCEINLINE_FUNCTION void with_small_constant(int count, const Body& body)
{
    switch (count)
    {
        case 1:
            body(std::integral_constant<int, 1>{});
            break;
        case 2:
            body(std::integral_constant<int, 2>{});
            break;
        case 3:
            body(std::integral_constant<int, 3>{});
            break;
        case 4:
            body(std::integral_constant<int, 4>{});
            break;
        case 5:
            body(std::integral_constant<int, 5>{});
            break;
        case 6:
            body(std::integral_constant<int, 6>{});
            break;
        default:
            body(std::integral_constant<int, 0>{});
            break;
    }
}

/// The sum over [0, count) of what body(begin, end) gives for a part of it; every thread of the team has it.
template <class Team, class Body>
KOKKOS_INLINE_FUNCTION std::uint32_t sum_spans(const Team& team, int count, const Body& body)
{
    if constexpr (runs_on_host<typename Team::execution_space>)
    {
        return body(0, count);
    }
    else
    {
        std::uint32_t total = 0;
        Kokkos::parallel_reduce(
            Kokkos::TeamVectorRange(team, count), [&](int i, std::uint32_t& sum) { sum += body(i, i + 1); }, total);
        return total;
    }
}

/// Adds one to a counter that the threads of a team share.
template <class Team>
KOKKOS_INLINE_FUNCTION void count_one(const Team&, std::uint32_t& counter)
{
    if constexpr (runs_on_host<typename Team::execution_space>)
    {
        ++counter;
    }
    else
    {
        Kokkos::atomic_add(&counter, 1u);
    }
}
}  // namespace paws::kernels::augment
