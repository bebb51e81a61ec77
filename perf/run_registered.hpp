#pragma once

#include <benchmark/benchmark.h>

namespace paws::bench
{
/// Runs the benchmarks that are registered, as Google Benchmark's arguments say. Returns the program's exit code: 2
/// where an argument is not one of these, which is then named.
inline int run_registered(int argc, char** argv)
{
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv))
    {
        return 2;
    }
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
}  // namespace paws::bench
