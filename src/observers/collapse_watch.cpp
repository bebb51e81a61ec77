#include "src/observers/collapse_watch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "src/config/task_traits.hpp"

namespace paws::observers
{
CollapseWatch::CollapseWatch(const config::Config& config, const std::vector<std::string>& columns,
                             std::int64_t world_size)
{
    const auto found = std::find(columns.begin(), columns.end(), "paws-me_max-reg");
    if (found != columns.end() && config.criterion.me_max)
    {
        column_ = static_cast<std::size_t>(found - columns.begin());
    }
    log_classes_ = std::log(static_cast<double>(config::classes_of_step(config, world_size)));
}

std::optional<std::string> CollapseWatch::after_epoch(const std::vector<double>& means)
{
    constexpr double least_share = 0.1;
    if (!column_ || *column_ >= means.size() || has_warned_)
    {
        return std::nullopt;
    }
    const double entropy = -means[*column_];
    if (!(entropy < least_share * log_classes_))
    {
        return std::nullopt;
    }
    has_warned_ = true;
    return fmt::format(
        "the entropy of the mean prediction is {:.3f}, below a tenth of log K ({:.2f}): nearly all images are "
        "predicted alike, the run has collapsed; start anew with a lower optimization.lr, a longer "
        "optimization.warmup, a larger criterion.unsupervised_batch_size, or from a trained backbone "
        "(meta.init_backbone)",
        entropy, log_classes_);
}
}  // namespace paws::observers
