#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "src/logging/step_values.hpp"

namespace paws::logging
{
/// What is logged of a step; means over the epoch so far.
struct LoggedStep
{
    std::int64_t epoch = 1;       ///< from 1
    std::int64_t step = 0;        ///< of this epoch, from 0
    std::int64_t steps_done = 0;  ///< of the run, this one included
    StepValues values;            ///< the method's, of all ranks' images
    StepValues own_values;        ///< the same of this rank's images
    double learning_rate = 0;
    double step_milliseconds = 0;
    double images_per_second = 0;  ///< as the loader counts them, of this epoch and all ranks
    double data_wait_share = 0;    ///< of this epoch's time, of this rank, from 0 to 1
    double comm_wait_share = 0;    ///< likewise: communication that nothing hides, waiting for slower ranks included
};

/// The evaluation at the end of an epoch.
struct LoggedEvaluation
{
    std::int64_t epoch = 1;  ///< from 1
    std::int64_t steps_done = 0;
    double top1 = 0;  ///< from 0 to 1
    double top5 = 0;
};

/// Where a run begins to log.
struct LogStart
{
    bool fresh = true;  ///< a new run replaces old logs; a resumed one appends to them
    std::int64_t epochs_done = 0;
    std::int64_t steps_of_epoch = 0;  ///< of the next epoch, done before; what comes after them is cut from old logs
    std::int64_t steps_done = 0;

    /// Whether a resumed run keeps what was logged of that step (epoch from 1, step from 0).
    bool keeps(std::int64_t epoch, std::int64_t step) const
    {
        return epoch <= epochs_done || (epoch == epochs_done + 1 && step < steps_of_epoch);
    }
};

/// One of the files of a log. Each function throws io::Error, which names the file and what to do, when it cannot be
/// written.
class LogSink
{
public:
    virtual ~LogSink() = default;
    virtual void step(const LoggedStep& step) = 0;
    virtual void evaluation(const LoggedEvaluation& evaluation) = 0;
    virtual const std::filesystem::path& path() const = 0;
    /// What is to be said since the last call: that lines of an old log were not understood, that the file was begun
    /// anew.
    virtual std::vector<std::string> take_notes() = 0;
    /// The file is known to be gone: that it is begun anew needs no note.
    virtual void expect_loss() = 0;
};
}  // namespace paws::logging
