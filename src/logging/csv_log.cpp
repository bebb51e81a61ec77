#include "src/logging/csv_log.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>

namespace paws::logging
{
CsvLog::CsvLog(const std::filesystem::path& path, const std::vector<std::string>& columns, const LogStart& start)
    : CsvLog(path, fmt::format("epoch,itr,{},time (ms)", fmt::join(columns, ",")), start)
{
}

CsvLog::CsvLog(const std::filesystem::path& path, const std::string& header, const LogStart& start)
    : FileLog(path, header + "\n", kept_lines(path, start, csv_format(header, true)))
{
}

void CsvLog::step(const LoggedStep& step)
{
    append(fmt::format("{},{},{:.5f},{:.0f}\n", step.epoch, step.step, fmt::join(step.own_values, ","),
                       step.step_milliseconds));
}
}  // namespace paws::logging
