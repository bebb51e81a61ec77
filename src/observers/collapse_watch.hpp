#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "src/config/config.hpp"

namespace paws::observers
{
/// Notices PAWS training that has collapsed: all images are predicted alike, which gives a loss of zero and teaches
/// nothing. The entropy of the mean prediction, which me-max drives towards log K, shows it; without
/// criterion.me_max it is not computed, and nothing is noticed.
class CollapseWatch
{
public:
    /// `columns`: the names of the values of a step. `world_size`: of the ranks whose mathematics is computed.
    CollapseWatch(const config::Config& config, const std::vector<std::string>& columns, std::int64_t world_size);

    /// What to tell the user after an epoch with these mean values: once in a run, when the entropy is below a tenth of
    /// log K.
    std::optional<std::string> after_epoch(const std::vector<double>& means);

private:
    std::optional<std::size_t> column_;  ///< of the negative entropy; none where nothing is watched
    double log_classes_ = 0;
    bool has_warned_ = false;
};
}  // namespace paws::observers
