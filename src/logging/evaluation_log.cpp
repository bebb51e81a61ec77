#include "src/logging/evaluation_log.hpp"

#include <fmt/format.h>

namespace paws::logging
{
namespace
{
const std::string header = "epoch,top1,top5";
}  // namespace

EvaluationLog::EvaluationLog(const std::filesystem::path& path, const LogStart& start)
    : FileLog(path, header + "\n", kept_lines(path, start, csv_format(header, false)))
{
}

void EvaluationLog::evaluation(const LoggedEvaluation& evaluation)
{
    append(fmt::format("{},{:.5f},{:.5f}\n", evaluation.epoch, evaluation.top1, evaluation.top5));
}
}  // namespace paws::logging
