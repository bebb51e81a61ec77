#pragma once

#include "kernels/policies.hpp"

// Walks over one row of a matrix by the team that has it (see row_policy). On a host core a team is one thread, and the
// loops are written for its vector registers; on a device the threads of the team share the row.

namespace paws::kernels
{
/// Partial results that a host core carries side by side, so that a reduction has no chain of dependent additions:
/// two vector registers of 512 bits in float.
inline constexpr int row_lanes = 32;

/// Calls body(j) for j in [begin, end), in any order.
template <class Exec, class Team, class Body>
KOKKOS_INLINE_FUNCTION void for_row(const Team& team, int begin, int end, const Body& body)
{
    if constexpr (runs_on_host<Exec>)
    {
        for (int j = begin; j < end; ++j)
        {
            body(j);
        }
    }
    else
    {
        Kokkos::parallel_for(Kokkos::TeamThreadRange(team, begin, end), body);
    }
}

/// Σ value(j) for j in [begin, end), by one thread; `value` is called once for every j.
template <class Scalar, class Value>
KOKKOS_INLINE_FUNCTION Scalar sum_segment(int begin, int end, const Value& value)
{
    Scalar total = 0;
    int j = begin;
    if (end - begin >= row_lanes)
    {
        Scalar lane[row_lanes] = {};
        for (; j + row_lanes <= end; j += row_lanes)
        {
            for (int l = 0; l < row_lanes; ++l)
            {
                lane[l] += value(j + l);
            }
        }
        for (int width = row_lanes / 2; width > 0; width /= 2)
        {
            for (int l = 0; l < width; ++l)
            {
                lane[l] += lane[l + width];
            }
        }
        total = lane[0];
    }
    for (; j < end; ++j)
    {
        total += value(j);
    }
    return total;
}

/// The same sum by a team, the result on every thread of it.
template <class Scalar, class Exec, class Team, class Value>
KOKKOS_INLINE_FUNCTION Scalar sum_row(const Team& team, int begin, int end, const Value& value)
{
    if constexpr (runs_on_host<Exec>)
    {
        return sum_segment<Scalar>(begin, end, value);
    }
    else
    {
        Scalar total = 0;
        Kokkos::parallel_reduce(
            Kokkos::TeamThreadRange(team, begin, end), [&](int j, Scalar& sum) { sum += value(j); }, total);
        return total;
    }
}

/// The largest value(j) for j in [begin, end), at least `least`. NaNs are passed over.
template <class Scalar, class Exec, class Team, class Value>
KOKKOS_INLINE_FUNCTION Scalar largest_of_row(const Team& team, int begin, int end, Scalar least, const Value& value)
{
    Scalar largest = least;
    if constexpr (runs_on_host<Exec>)
    {
        int j = begin;
        if (end - begin >= row_lanes)
        {
            Scalar lane[row_lanes];
            for (int l = 0; l < row_lanes; ++l)
            {
                lane[l] = least;
            }
            for (; j + row_lanes <= end; j += row_lanes)
            {
                for (int l = 0; l < row_lanes; ++l)
                {
                    const Scalar candidate = value(j + l);
                    lane[l] = candidate > lane[l] ? candidate : lane[l];
                }
            }
            for (int l = 0; l < row_lanes; ++l)
            {
                largest = lane[l] > largest ? lane[l] : largest;
            }
        }
        for (; j < end; ++j)
        {
            const Scalar candidate = value(j);
            largest = candidate > largest ? candidate : largest;
        }
    }
    else
    {
        Kokkos::parallel_reduce(
            Kokkos::TeamThreadRange(team, begin, end),
            [&](int j, Scalar& best)
            {
                const Scalar candidate = value(j);
                best = candidate > best ? candidate : best;
            },
            Kokkos::Max<Scalar>(largest));
        largest = least > largest ? least : largest;
    }
    return largest;
}
}  // namespace paws::kernels
