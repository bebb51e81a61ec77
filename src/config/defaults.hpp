#pragma once

#include "src/config/config.hpp"

namespace paws::config
{
/// Sets every member whose default depends on the task, the data set or another setting. Reads config.task and, as far
/// as they are given, data.dataset, data.multicrop, data.crop_size, optimization.warmup, optimization.lr and
/// logging.write_tag, which must be set before.
void set_defaults(Config& config);
}  // namespace paws::config
