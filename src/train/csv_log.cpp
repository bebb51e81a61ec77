#include "src/train/csv_log.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>
#include <string>

#include "src/train/kept_lines.hpp"

namespace paws::train
{
namespace
{
std::string contents_at(const std::filesystem::path& path, const std::vector<std::string>& columns,
                        const LogStart& start)
{
    return fmt::format("epoch,itr,{},time (ms)\n", fmt::join(columns, ",")) +
           kept_lines(path, start,
                      [](const std::string& line) -> std::optional<LoggedPlace>
                      {
                          long long epoch = 0, step = 0;
                          if (std::sscanf(line.c_str(), "%lld,%lld,", &epoch, &step) != 2)
                          {
                              return std::nullopt;
                          }
                          return LoggedPlace{epoch, step};
                      });
}
}  // namespace

CsvLog::CsvLog(const std::filesystem::path& path, const std::vector<std::string>& columns, const LogStart& start)
    : file_(path, contents_at(path, columns, start))
{
}

void CsvLog::step(const LoggedStep& step)
{
    file_.append(fmt::format("{},{},{:.5f},{:.0f}\n", step.epoch, step.step, fmt::join(step.own_values, ","),
                             step.step_milliseconds));
}
}  // namespace paws::train
