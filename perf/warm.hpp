#pragma once

#include "perf/on_device.hpp"

namespace paws::bench
{
/// Measures `step` after some calls of it: the first ones generate code, choose algorithms and take memory from the
/// system, and a step that lasts longer than the benchmark's minimum time would be measured by them alone. A GPU goes
/// from step to step without the host waiting, as it does in training.
template <class Step>
void measure_warm(benchmark::State& state, const Step& step)
{
    for (int i = 0; i < (on_gpu() ? 5 : 2); ++i)
    {
        step();
    }
    synchronise();
    auto left = state.max_iterations;
    for (auto _ : state)
    {
        step();
        if (--left == 0)
        {
            synchronise();
        }
    }
}

/// As much of the memory's traffic as `words` 32-bit words, read or written, are: what bounds a kernel of a GPU that
/// must move them.
inline void measure_gpu_copy(benchmark::State& state, std::int64_t words)
{
    const auto from = torch::ones({words / 2}, torch::TensorOptions(device()).dtype(torch::kInt32));
    const auto to = torch::empty_like(from);
    measure_warm(state, [&] { to.copy_(from); });
}
}  // namespace paws::bench
