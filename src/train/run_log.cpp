#include "src/train/run_log.hpp"

#include <fmt/format.h>

#include "src/train/csv_log.hpp"
#include "src/train/evaluation_log.hpp"
#include "src/train/jsonl_log.hpp"
#include "src/train/tensorboard_log.hpp"

namespace paws::train
{
RunLog::RunLog(const config::Logging& logging, const std::string& run, const std::vector<std::string>& columns,
               const LogStart& start, int rank, int ranks)
{
    const std::filesystem::path folder = logging.folder;
    const auto named = [&](const char* ending) { return folder / fmt::format("{}_r{}{}", run, rank, ending); };
    sinks_.push_back(std::make_unique<CsvLog>(named(".csv"), columns, start));
    if (rank == 0 && logging.eval_every > 0)
    {
        sinks_.push_back(std::make_unique<EvaluationLog>(folder / (run + "-eval.csv"), start));
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
        const auto place = folder / (run + "_tensorboard") / fmt::format("r{}", rank);
        sinks_.push_back(std::make_unique<TensorboardLog>(place, columns, start, ranks));
    }
}

void RunLog::step(const LoggedStep& step)
{
    for (const auto& sink : sinks_)
    {
        sink->step(step);
    }
}

void RunLog::evaluation(const LoggedEvaluation& evaluation)
{
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
}  // namespace paws::train
