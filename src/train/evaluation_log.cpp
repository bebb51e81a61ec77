#include "src/train/evaluation_log.hpp"

#include <fmt/format.h>

#include "io/error.hpp"
#include "src/train/csv_log.hpp"

namespace paws::train
{
EvaluationLog::EvaluationLog(const std::filesystem::path& path, bool fresh, std::int64_t epochs_done) : path_(path)
{
    const auto kept = fresh ? std::vector<std::string>{} : lines_of_finished_epochs(path, epochs_done);
    file_.open(path, std::ios::trunc);
    file_ << "epoch,top1,top5\n";
    for (const auto& line : kept)
    {
        file_ << line << '\n';
    }
    flush();
}

void EvaluationLog::write(std::int64_t epoch, const loss::Accuracy& accuracy)
{
    file_ << fmt::format("{},{:.5f},{:.5f}\n", epoch, accuracy.top1, accuracy.top5);
    flush();
}

void EvaluationLog::flush()
{
    if (!file_.flush())
    {
        throw io::Error(
            fmt::format("{}: cannot be written; check logging.folder and the room on its disk", path_.string()));
    }
}
}  // namespace paws::train
