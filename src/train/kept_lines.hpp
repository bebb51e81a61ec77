#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "src/train/log_sink.hpp"

namespace paws::train
{
/// The step that a line of a log is of.
struct LoggedPlace
{
    std::int64_t epoch = 0;  ///< from 1
    std::int64_t step = 0;   ///< from 0
};

/// The lines of an old log that a run keeps, in their order: none if it is fresh, or there is no log. A line of which
/// `place_of` makes nothing (a header, one that was cut off) is left out. Throws io::Error for a log that cannot be
/// read.
std::string kept_lines(const std::filesystem::path& path, const LogStart& start,
                       const std::function<std::optional<LoggedPlace>(const std::string& line)>& place_of);
}  // namespace paws::train
