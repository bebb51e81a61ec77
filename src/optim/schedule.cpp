#include "src/optim/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace paws::optim
{
double WarmupCosine::at(std::int64_t step) const
{
    const auto fraction = [](std::int64_t done, std::int64_t of)
    { return static_cast<double>(done) / static_cast<double>(std::max<std::int64_t>(1, of)); };
    if (step < warmup_steps)
    {
        return start + fraction(step, warmup_steps) * (peak - start);
    }
    const double progress = fraction(step - warmup_steps, total_steps - warmup_steps);
    return std::max(final, final + (peak - final) * 0.5 * (1 + std::cos(std::numbers::pi * progress)));
}
}  // namespace paws::optim
