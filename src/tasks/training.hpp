#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "src/comm/world.hpp"
#include "src/config/config.hpp"
#include "src/data/dataset.hpp"
#include "src/tasks/summary.hpp"

namespace paws::tasks
{
struct TrainOptions
{
    std::string resume = "auto";                    ///< auto, never, or the path of a checkpoint
    std::optional<std::int64_t> stop_after_epochs;  ///< end early, when so many epochs of the run are done
    bool quiet = false;                             ///< print nothing (tests)
};

/// Training (paws_train or suncet_train) as the configuration says, by all ranks of `world` together; files as RunFiles
/// names them. Throws config::Error or io::Error for bad input.
Summary run_training(const config::Config& config, const TrainOptions& options, const comm::World& world = {});

/// The same on pictures that are in memory already; the validation split is needed where logging.eval_every asks for
/// it.
Summary run_training(const config::Config& config, const data::Dataset& dataset, const TrainOptions& options,
                     const comm::World& world = {});
}  // namespace paws::tasks
