#pragma once

#include "io/append_file.hpp"
#include "src/train/log_sink.hpp"

namespace paws::train
{
/// The evaluations of a run as a CSV file of its own, since the published one has a line a step: epoch, top1, top5.
class EvaluationLog final : public LogSink
{
public:
    EvaluationLog(const std::filesystem::path& path, const LogStart& start);

    void step(const LoggedStep&) override {}
    void evaluation(const LoggedEvaluation& evaluation) override;
    const std::filesystem::path& path() const override { return file_.path(); }

private:
    io::AppendFile file_;
};
}  // namespace paws::train
