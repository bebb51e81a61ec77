#include "src/train/csv_log.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <string>
#include <vector>

#include "io/error.hpp"

namespace paws::train
{
std::vector<std::string> lines_of_finished_epochs(const std::filesystem::path& path, std::int64_t epochs_done)
{
    std::vector<std::string> kept;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);)
    {
        std::int64_t epoch = 0;
        const auto parsed = std::from_chars(line.data(), line.data() + line.size(), epoch);
        if (parsed.ec == std::errc{} && epoch <= epochs_done)
        {
            kept.push_back(line);
        }
    }
    return kept;
}

CsvLog::CsvLog(const std::filesystem::path& path, const std::vector<std::string>& columns, bool fresh,
               std::int64_t epochs_done)
    : path_(path)
{
    const auto kept = fresh ? std::vector<std::string>{} : lines_of_finished_epochs(path, epochs_done);
    file_.open(path, std::ios::trunc);
    file_ << fmt::format("epoch,itr,{},time (ms)\n", fmt::join(columns, ","));
    for (const auto& line : kept)
    {
        file_ << line << '\n';
    }
    if (!file_.flush())
    {
        throw io::Error(
            fmt::format("{}: cannot be written; check logging.folder and the room on its disk", path.string()));
    }
}

void CsvLog::write(std::int64_t epoch, std::int64_t iteration, const StepValues& values, double milliseconds)
{
    file_ << fmt::format("{},{},{:.5f},{:.0f}\n", epoch, iteration, fmt::join(values, ","), milliseconds);
    if (!file_.flush())
    {
        throw io::Error(fmt::format("{}: the line could not be written; is the disk full?", path_.string()));
    }
}
}  // namespace paws::train
