#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "src/logging/log_sink.hpp"
#include "src/loss/snn_classifier.hpp"

namespace paws::train
{
/// How training goes, after each step.
struct StepReport : logging::LoggedStep
{
    double epoch_seconds = 0;   ///< since the epoch began or was resumed
    bool read = true;           ///< whether the values are as of this step: on a device they are read only when
                                ///< somebody needs them, and those of the last reading stand here in between
    std::int64_t left_out = 0;  ///< fp16: steps of this epoch, since it began or was resumed, whose gradients have
                                ///< overflowed and changed no weights; as of the last reading
    double loss_scale = 1;      ///< fp16: likewise
    std::string note;           ///< what the user should know, once; usually nothing
    bool stops = false;         ///< a rank asked for it: this is the last step for now
    bool saves = false;         ///< a rank asked for a checkpoint
};

/// What a rank wants of all after a step.
struct StepRequest
{
    bool stop = false;
    bool save = false;
    double checkpoint_seconds = 0;  ///< what writing a checkpoint takes, for those who stop in time
};

/// Where training stands before its first step, and after each epoch.
struct EpochReport
{
    std::int64_t epochs_done = 0;            ///< of the run
    std::int64_t steps_done = 0;             ///< of the run
    bool is_last = false;                    ///< training ends here
    StepReport last_step;                    ///< of this epoch; as it begins where the epoch has none here
    std::optional<loss::Accuracy> accuracy;  ///< of the weights as they are; set by the observer that evaluates them,
                                             ///< for those after it
};

/// Is told how training goes: logs, checkpoints, evaluations and so on. Each function is called on every rank at the
/// same place, so that it may make collective calls; ask() and summarise() make none.
class Observer
{
public:
    virtual ~Observer() = default;

    virtual void before_training(EpochReport&) {}
    virtual void before_epoch() {}
    /// After a step, before ranks agree: what this rank wants of all. `steps_done`: of the run.
    virtual void ask(std::int64_t /*steps_done*/, StepRequest&) {}
    virtual void after_step(const StepReport&) {}
    /// Not after an epoch in which training stops.
    virtual void after_epoch(EpochReport&) {}
    /// At the end, or where training stops; not after an exception.
    virtual void after_training() {}
    /// Adds figures to the summary of the run.
    virtual void summarise(nlohmann::json&) const {}
};

/// In the order in which they are told.
using Observers = std::vector<Observer*>;
}  // namespace paws::train
