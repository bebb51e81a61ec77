#pragma once

#include <benchmark/benchmark.h>

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <cstdint>

// Passes over memory that do next to no arithmetic: what bounds a kernel that must move the same bytes.

namespace paws::bench
{
using HostExec = Kokkos::DefaultHostExecutionSpace;

/// Words that one thread walks at a time, by a loop of its own over plain memory, which compilers vectorise.
inline constexpr std::int64_t piece = 8192;

/// Calls body(begin, end) for the pieces of [0, words), on all threads.
template <class Body>
void for_each_piece(std::int64_t words, const Body& body)
{
    Kokkos::parallel_for("paws::bench::pass", Kokkos::RangePolicy<HostExec>(0, (words + piece - 1) / piece),
                         [=](std::int64_t n) { body(n * piece, std::min(words, (n + 1) * piece)); });
    HostExec().fence();
}

/// Reads every array of `words` 32-bit words once.
template <class... Source>
void read_pass(std::int64_t words, const Source*... sources)
{
    for_each_piece(words,
                   [=](std::int64_t begin, std::int64_t end)
                   {
                       std::uint32_t sum = 0;
                       for (std::int64_t i = begin; i < end; ++i)
                       {
                           sum += (sources[i] ^ ...);
                       }
                       benchmark::DoNotOptimize(sum);
                   });
}

/// Reads every source once and writes the target once; the target may be a source.
template <class... Source>
void write_pass(std::int64_t words, std::uint32_t* target, const Source*... sources)
{
    for_each_piece(words,
                   [=](std::int64_t begin, std::int64_t end)
                   {
                       for (std::int64_t i = begin; i < end; ++i)
                       {
                           target[i] = (sources[i] ^ ...) + 1U;
                       }
                   });
    benchmark::ClobberMemory();
}
}  // namespace paws::bench
