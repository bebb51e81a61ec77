#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "io/files/descriptor.hpp"
#include "src/config/config.hpp"
#include "src/logging/log_sink.hpp"

namespace paws::logging
{
/// The logs of one rank of a run, in logging.folder: RUN_rR.csv always; where logging.jsonl and logging.tensorboard ask
/// for them, RUN_rR.jsonl and event files in RUN_tensorboard/rR, on the first rank, or on all with logging.all_ranks.
/// The first rank of a run that is evaluated writes RUN-eval.csv, too.
class RunLog
{
public:
    /// `run`: what the names begin with. Throws io::Error, which names the file and what to do, as the other functions
    /// do.
    RunLog(const config::Logging& logging, const std::string& run, const std::vector<std::string>& columns,
           const LogStart& start, int rank = 0, int ranks = 1);

    void step(const LoggedStep& step);
    void evaluation(const LoggedEvaluation& evaluation);

    /// What is to be said since the last call, a line each. Of files that went with logging.folder itself nothing: the
    /// first rank says that (checkpoint::RunFolder).
    std::vector<std::string> take_notes();

    /// The files that are being written.
    std::vector<std::string> files() const;

private:
    /// Whether the folder is still the one that the files were made in: else they are all gone, for one reason.
    void look_at_folder();

    std::filesystem::path folder_;
    std::unique_ptr<io::Descriptor> opened_folder_;
    std::vector<std::unique_ptr<LogSink>> sinks_;
};
}  // namespace paws::logging
