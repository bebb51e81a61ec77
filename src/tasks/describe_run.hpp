#pragma once

#include <optional>
#include <string>

#include "src/config/config.hpp"
#include "src/data/dataset.hpp"
#include "src/nn/precision.hpp"

namespace paws::tasks
{
/// Sizes, network and schedule of a PAWS run as a small table; `dataset` (if it is there) gives the number of steps.
std::string describe_sizes(const config::Config& config, const data::Dataset* dataset, nn::Precision precision,
                           std::int64_t threads);

/// `--dry-run`: the resolved configuration, describe_sizes and the expected memory. Pictures that are not on this
/// machine are no error here: what depends on them is left out, and said to be.
std::string describe_run(const config::Config& config, std::int64_t threads);
}  // namespace paws::tasks
