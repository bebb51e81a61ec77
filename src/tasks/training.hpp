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

/// Training as the configuration says (paws_train, suncet_train, snn_fine_tune, fine_tune), by all ranks of `world`
/// together; files as RunFiles names them. Every logging.eval_every epochs the accuracy on pictures that were not
/// trained with decides which checkpoint is the best. Throws config::Error or io::Error for bad input.
Summary run_training(const config::Config& config, const TrainOptions& options, const comm::World& world = {});

/// The same on pictures that are in memory already; the validation split is needed where logging.eval_every asks for
/// it.
Summary run_training(const config::Config& config, const data::Dataset& dataset, const TrainOptions& options,
                     const comm::World& world = {});
}  // namespace paws::tasks
