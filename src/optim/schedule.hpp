#pragma once

#include <cstdint>

namespace paws::optim
{
/// Linear warm-up from `start` to `peak`, then a cosine down to `final`; counted in steps.
struct WarmupCosine
{
    double start = 0;
    double peak = 0;
    double final = 0;
    std::int64_t warmup_steps = 0;
    std::int64_t total_steps = 0;

    /// The learning rate of step `step` (from 0).
    double at(std::int64_t step) const;
};
}  // namespace paws::optim
