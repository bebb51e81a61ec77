#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "src/commands/training.hpp"

namespace paws::test
{
/// A training by one rank that prints nothing. `stop_after`: epochs from which on it stops.
inline commands::Summary train_alone(const config::Config& config, const std::string& resume = "auto",
                                     std::optional<std::int64_t> stop_after = {})
{
    return commands::run_training(config, {resume, {stop_after, {}, {}}, {}, true});
}
}  // namespace paws::test
