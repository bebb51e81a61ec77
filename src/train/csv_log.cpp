#include "src/train/csv_log.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/error.hpp"

namespace paws::train
{
namespace
{
/// What stands before the next comma of `text`, which is cut off with it.
std::optional<std::int64_t> take_number(std::string_view& text)
{
    std::int64_t number = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
    const auto length = static_cast<std::size_t>(parsed.ptr - text.data());
    if (parsed.ec != std::errc{} || length == text.size() || text[length] != ',')
    {
        return std::nullopt;
    }
    text.remove_prefix(length + 1);
    return number;
}

std::vector<std::string> lines_before(const std::filesystem::path& path, std::int64_t epochs_done,
                                      std::int64_t steps_done)
{
    std::vector<std::string> kept;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);)
    {
        std::string_view rest = line;
        const auto epoch = take_number(rest);
        const auto step = take_number(rest);
        if (epoch && step && (*epoch <= epochs_done || (*epoch == epochs_done + 1 && *step < steps_done)))
        {
            kept.push_back(line);
        }
    }
    return kept;
}
}  // namespace

CsvLog::CsvLog(const std::filesystem::path& path, const std::vector<std::string>& columns, bool fresh,
               std::int64_t epochs_done, std::int64_t steps_done)
    : path_(path)
{
    const auto kept = fresh ? std::vector<std::string>{} : lines_before(path, epochs_done, steps_done);
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
