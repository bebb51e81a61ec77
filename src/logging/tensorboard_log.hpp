#pragma once

#include <string>
#include <vector>

#include "io/results/event_file.hpp"
#include "src/logging/file_log.hpp"

namespace paws::logging
{
/// Scalars for TensorBoard, at the number of steps done. Each start of a run adds an event file to `folder`, and says
/// from which step on older files count no more; a fresh run removes them.
class TensorboardLog : public FileLog
{
public:
    TensorboardLog(const std::filesystem::path& folder, const std::vector<std::string>& columns, const LogStart& start,
                   int ranks);

    void step(const LoggedStep& step) override;
    void evaluation(const LoggedEvaluation& evaluation) override;

private:
    void write(std::int64_t step, const std::vector<io::Scalar>& scalars);

    std::vector<std::string> columns_;
    int ranks_;
};
}  // namespace paws::logging
