#include "src/logging/kept_lines.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <string_view>

#include "io/base/quantity.hpp"
#include "io/files/read_file.hpp"

namespace paws::logging
{
namespace
{
constexpr std::string_view utf8_mark = "\xef\xbb\xbf";

/// A line without its end, and whether it had one.
struct Line
{
    std::string text;
    bool is_ended = true;
};

std::vector<Line> lines_of(std::string_view all)
{
    all.remove_prefix(all.starts_with(utf8_mark) ? utf8_mark.size() : 0);
    std::vector<Line> lines;
    while (!all.empty())
    {
        const auto end = all.find_first_of("\r\n");
        lines.push_back({std::string(all.substr(0, end)), end != all.npos});
        const bool is_pair = end != all.npos && all.substr(end).starts_with("\r\n");
        all.remove_prefix(end == all.npos ? all.size() : end + (is_pair ? 2 : 1));
    }
    return lines;
}

/// Also what a spreadsheet makes of an empty line.
bool is_blank(const std::string& line)
{
    return line.find_first_not_of(" \t,;\"") == line.npos;
}

std::string trimmed(const std::string& text)
{
    const auto begin = text.find_first_not_of(' ');
    return begin == text.npos ? "" : text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

/// Where there are semicolons or tabs, commas stand before decimals.
char separator_of(const std::string& line)
{
    bool is_quoted = false;
    for (const char c : line)
    {
        is_quoted = is_quoted != (c == '"');
        if (!is_quoted && (c == ';' || c == '\t'))
        {
            return c;
        }
    }
    return ',';
}

bool begins_with_digit(const std::string& line)
{
    return !line.empty() && line.front() >= '0' && line.front() <= '9';
}
}  // namespace

std::string KeptLines::note(const std::filesystem::path& path) const
{
    return strange == 0 ? ""
                        : fmt::format("{}: {} {} not understood (changed by another program?), kept as {}",
                                      path.string(), io::plural(strange, "line"), strange == 1 ? "was" : "were",
                                      strange == 1 ? "it is" : "they are");
}

KeptLines kept_lines(const std::filesystem::path& path, const LogStart& start, const LogFormat& format)
{
    KeptLines kept;
    if (start.fresh || !std::filesystem::exists(path))
    {
        return kept;
    }
    for (const auto& line : lines_of(io::read_file(path)))
    {
        const bool says_nothing = is_blank(line.text) || format.is_header(line.text);
        if (says_nothing || (!line.is_ended && format.is_cut_off(line.text)))
        {
            continue;
        }
        const auto place = format.place_of(line.text);
        if (!place || start.keeps(place->epoch, place->step))
        {
            kept.text += line.text + '\n';
            kept.strange += place ? 0 : 1;
        }
    }
    return kept;
}

std::vector<std::string> cells_of(const std::string& line)
{
    const auto separator = separator_of(line);
    std::vector<std::string> cells(1);
    bool is_quoted = false;
    for (const char c : line)
    {
        if (c == '"')
        {
            is_quoted = !is_quoted;
        }
        else if (!is_quoted && c == separator)
        {
            cells.emplace_back();
        }
        else
        {
            cells.back() += c;
        }
    }
    std::transform(cells.begin(), cells.end(), cells.begin(), trimmed);
    return cells;
}

std::optional<std::int64_t> whole_number(const std::string& cell)
{
    std::int64_t number = 0;
    const char* const end = cell.data() + cell.size();
    const auto parsed = std::from_chars(cell.data(), end, number);
    if (parsed.ec != std::errc{})
    {
        return std::nullopt;
    }
    const std::string_view rest(parsed.ptr, static_cast<std::size_t>(end - parsed.ptr));
    const bool is_whole =
        rest.empty() || ((rest.front() == '.' || rest.front() == ',') && rest.find_first_not_of('0', 1) == rest.npos);
    return is_whole ? std::optional(number) : std::nullopt;
}

LogFormat csv_format(const std::string& header, bool has_steps)
{
    const auto names = cells_of(header);
    LogFormat format;
    format.place_of = [has_steps](const std::string& line) -> std::optional<LoggedPlace>
    {
        const auto cells = cells_of(line);
        const auto epoch = cells.size() < 2 ? std::nullopt : whole_number(cells[0]);
        const auto step =
            has_steps && epoch ? whole_number(cells[1]) : std::optional(std::numeric_limits<std::int64_t>::max());
        return epoch && step ? std::optional(LoggedPlace{*epoch, *step}) : std::nullopt;
    };
    format.is_header = [names](const std::string& line) { return cells_of(line) == names; };
    format.is_cut_off = [header, names](const std::string& line)
    { return header.starts_with(line) || (begins_with_digit(line) && cells_of(line).size() < names.size()); };
    return format;
}
}  // namespace paws::logging
