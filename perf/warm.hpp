#pragma once

#include <benchmark/benchmark.h>

namespace paws::bench
{
/// Measures `step` after two calls of it: the first ones generate code and take memory from the system, and a step that
/// lasts longer than the benchmark's minimum time would be measured by them alone.
template <class Step>
void measure_warm(benchmark::State& state, const Step& step)
{
    step();
    step();
    for (auto _ : state)
    {
        step();
    }
}
}  // namespace paws::bench
