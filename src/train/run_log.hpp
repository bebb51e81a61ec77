#pragma once

#include <memory>
#include <string>
#include <vector>

#include "src/config/config.hpp"
#include "src/train/log_sink.hpp"

namespace paws::train
{
/// The logs of one rank of a run, in logging.folder: TAG_rR.csv always; where logging.jsonl and logging.tensorboard ask
/// for them, TAG_rR.jsonl and event files in TAG_tensorboard/rR, on the first rank, or on all with logging.all_ranks.
class RunLog
{
public:
    /// Throws io::Error, which names the file and what to do, as the other functions do.
    RunLog(const config::Logging& logging, const std::array<const char*, loss_parts>& columns, const LogStart& start,
           int rank = 0, int ranks = 1);

    void step(const LoggedStep& step);
    void evaluation(const LoggedEvaluation& evaluation);

    /// The files that are being written.
    std::vector<std::string> files() const;

private:
    std::vector<std::unique_ptr<LogSink>> sinks_;
};
}  // namespace paws::train
