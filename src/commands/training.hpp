#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "src/comm/world.hpp"
#include "src/commands/summary.hpp"
#include "src/config/config.hpp"
#include "src/data/dataset.hpp"
#include "src/session/stop_rule.hpp"

namespace paws::commands
{
/// How a training run begins and where it ends.
struct TrainOptions
{
    std::string resume = "auto";                      ///< auto, never, or the path of a checkpoint
    session::StopAfter stop_after;                    ///< end early
    std::optional<std::chrono::seconds> job_seconds;  ///< until the job ends that the run is in, where that is known
    bool quiet = false;                               ///< print nothing (tests)
};

/// Training as the configuration says (paws_train, suncet_train, snn_fine_tune, fine_tune), by all ranks of `world`
/// together; files as RunFiles names them, which one run at a time may write. Every logging.eval_every epochs the
/// accuracy on images that were not trained with decides which checkpoint is the best. Where signals or time limits
/// stop the run, a checkpoint is written and the summary says why (see has_stopped). Throws config::Error or io::Error
/// for bad input.
Summary run_training(const config::Config& config, const TrainOptions& options, const comm::World& world = {});

/// The same on images that are in memory already; the validation split is needed where logging.eval_every asks for
/// it.
Summary run_training(const config::Config& config, const data::Dataset& dataset, const TrainOptions& options,
                     const comm::World& world = {});
}  // namespace paws::commands
