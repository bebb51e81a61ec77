#include "src/commands/evaluation_progress.hpp"

#include <unistd.h>

#include <algorithm>

#include "io/base/seconds.hpp"
#include "src/logging/work_progress.hpp"

namespace paws::commands
{
EvaluationProgress::EvaluationProgress(std::int64_t images, int ranks)
    : all_(images), ranks_(ranks), line_(STDOUT_FILENO)
{
}

void EvaluationProgress::advance(std::int64_t images)
{
    mine_ += images;
    line_.update(
        [&]
        {
            logging::WorkDone work;
            work.verb = "evaluated";
            work.items = static_cast<std::uint64_t>(std::min(all_, mine_ * ranks_));
            work.all_items = static_cast<std::uint64_t>(all_);
            work.seconds = io::seconds_since(start_);
            return logging::format_work(work);
        });
}
}  // namespace paws::commands
