#include "src/train/evaluation_log.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "src/train/kept_lines.hpp"

namespace paws::train
{
namespace
{
/// An evaluation comes after the last step of its epoch.
std::optional<LoggedPlace> place_of(const std::string& line)
{
    long long epoch = 0;
    if (std::sscanf(line.c_str(), "%lld,", &epoch) != 1)
    {
        return std::nullopt;
    }
    return LoggedPlace{epoch, std::numeric_limits<std::int64_t>::max()};
}
}  // namespace

EvaluationLog::EvaluationLog(const std::filesystem::path& path, const LogStart& start)
    : file_(path, "epoch,top1,top5\n" + kept_lines(path, start, place_of))
{
}

void EvaluationLog::evaluation(const LoggedEvaluation& evaluation)
{
    file_.append(fmt::format("{},{:.5f},{:.5f}\n", evaluation.epoch, evaluation.top1, evaluation.top5));
}
}  // namespace paws::train
