#include "src/logging/run_log.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include "io/base/error.hpp"
#include "src/logging/csv_log.hpp"
#include "src/logging/evaluation_log.hpp"
#include "src/logging/jsonl_log.hpp"
#include "src/logging/tensorboard_log.hpp"

namespace paws::logging
{
RunLog::RunLog(const config::Logging& logging, const std::string& run, const std::vector<std::string>& columns,
               const LogStart& start, int rank, int ranks)
    : folder_(logging.folder)
{
    look_at_folder();
    const auto named = [&](const char* ending) { return folder_ / fmt::format("{}_r{}{}", run, rank, ending); };
    sinks_.push_back(std::make_unique<CsvLog>(named(".csv"), columns, start));
    if (rank == 0 && logging.eval_every > 0)
    {
        sinks_.push_back(std::make_unique<EvaluationLog>(folder_ / (run + "-eval.csv"), start));
    }
    if (rank > 0 && !logging.all_ranks)
    {
        return;
    }
    if (logging.jsonl)
    {
        sinks_.push_back(std::make_unique<JsonlLog>(named(".jsonl"), columns, start, rank, ranks));
    }
    if (logging.tensorboard)
    {
        const auto place = folder_ / (run + "_tensorboard") / fmt::format("r{}", rank);
        sinks_.push_back(std::make_unique<TensorboardLog>(place, columns, start, ranks));
    }
}

void RunLog::look_at_folder()
{
    if (opened_folder_ && opened_folder_->is_in_place())
    {
        return;
    }
    for (std::size_t i = 0; opened_folder_ && i < sinks_.size(); ++i)
    {
        sinks_[i]->expect_loss();
    }
    opened_folder_.reset();
    try
    {
        opened_folder_ = std::make_unique<io::Descriptor>(folder_, O_PATH | O_DIRECTORY);
    }
    catch (const io::Error&)
    {
        // It is not there now; the logs make it.
    }
}

std::vector<std::string> RunLog::take_notes()
{
    std::vector<std::string> all;
    for (const auto& sink : sinks_)
    {
        const auto notes = sink->take_notes();
        all.insert(all.end(), notes.begin(), notes.end());
    }
    return all;
}

void RunLog::step(const LoggedStep& step)
{
    look_at_folder();
    for (const auto& sink : sinks_)
    {
        sink->step(step);
    }
}

void RunLog::evaluation(const LoggedEvaluation& evaluation)
{
    look_at_folder();
    for (const auto& sink : sinks_)
    {
        sink->evaluation(evaluation);
    }
}

std::vector<std::string> RunLog::files() const
{
    std::vector<std::string> paths;
    for (const auto& sink : sinks_)
    {
        paths.push_back(sink->path().string());
    }
    return paths;
}
}  // namespace paws::logging
