#pragma once

#include "src/logging/file_log.hpp"

namespace paws::logging
{
/// The evaluations of a run as a CSV file of its own, since the published one has a line a step: epoch, top1, top5.
class EvaluationLog final : public FileLog
{
public:
    EvaluationLog(const std::filesystem::path& path, const LogStart& start);

    void step(const LoggedStep&) override {}
    void evaluation(const LoggedEvaluation& evaluation) override;
};
}  // namespace paws::logging
