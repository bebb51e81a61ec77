#pragma once

#include <string>
#include <vector>

#include "io/append_file.hpp"
#include "io/event_file.hpp"
#include "src/train/log_sink.hpp"

namespace paws::train
{
/// Scalars for TensorBoard, at the number of steps done. Each start of a run adds an event file to `folder`, and says
/// from which step on older files count no more; a fresh run removes them.
class TensorboardLog : public LogSink
{
public:
    TensorboardLog(const std::filesystem::path& folder, const std::vector<std::string>& columns, const LogStart& start,
                   int ranks);

    void step(const LoggedStep& step) override;
    void evaluation(const LoggedEvaluation& evaluation) override;
    const std::filesystem::path& path() const override { return file_.path(); }

private:
    void write(std::int64_t step, const std::vector<io::Scalar>& scalars);

    io::AppendFile file_;
    std::vector<std::string> columns_;
    int ranks_;
};
}  // namespace paws::train
