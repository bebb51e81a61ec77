#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "src/logging/log_sink.hpp"

namespace paws::logging
{
/// The step that a line of a log is of.
struct LoggedPlace
{
    std::int64_t epoch = 0;  ///< from 1
    std::int64_t step = 0;   ///< from 0
};

/// How the lines of a log are read, without their ends.
struct LogFormat
{
    /// Nothing for a line that is of no step.
    std::function<std::optional<LoggedPlace>(const std::string& line)> place_of;
    /// Whether it says no more than a new log does: a header.
    std::function<bool(const std::string& line)> is_header;
    /// Of the last line of a file, if it has no end: whether the process died while it wrote it.
    std::function<bool(const std::string& line)> is_cut_off;
};

/// What a run keeps of an old log.
struct KeptLines
{
    std::string text;          ///< whole lines
    std::int64_t strange = 0;  ///< how many of them were not understood
    std::string note(
        const std::filesystem::path& path) const;  ///< what is to be said about those; empty if there are none
};

/// The lines of an old log that a run keeps, in their order: none if it is fresh, or there is no log. Of the lines
/// whose place is known, those that the run will not write again; others are not ours to remove, and stay as they are,
/// but for headers, empty lines and one that was cut off. Lines may end as on any system, and the file may begin with a
/// mark of UTF-8. Throws io::Error for a log that cannot be read.
KeptLines kept_lines(const std::filesystem::path& path, const LogStart& start, const LogFormat& format);

/// The cells of a line of a CSV file, as spreadsheets write it: between semicolons or tabs, else between commas, that
/// stand outside of quotes, without quotes and spaces around them.
std::vector<std::string> cells_of(const std::string& line);

/// A whole number, also one that a spreadsheet gave decimals ("3.0", "3,00"); nothing for anything else.
std::optional<std::int64_t> whole_number(const std::string& cell);

/// A CSV log with such a header (without line end), whose lines begin with the epoch and, if `has_steps`, the step;
/// else they stand after the last step of their epoch.
LogFormat csv_format(const std::string& header, bool has_steps);
}  // namespace paws::logging
