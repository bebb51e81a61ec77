#include "src/logging/work_progress.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "io/base/quantity.hpp"
#include "src/logging/progress_line.hpp"

namespace paws::logging
{
std::string format_work(const WorkDone& work)
{
    const double seconds = std::max(work.seconds, 1e-3);
    auto line = work.verb;
    std::string rates;
    if (work.all_items > 0)
    {
        line += fmt::format(" {} of {} {}", work.items, work.all_items, work.noun);
        rates += fmt::format("  {:.0f} {}/s", static_cast<double>(work.items) / seconds, work.noun);
    }
    else if (work.all_bytes > 0)
    {
        line += fmt::format(" {} of {}", io::size_in_words(work.bytes), io::size_in_words(work.all_bytes));
    }
    if (work.all_bytes > 0)
    {
        const auto speed = static_cast<double>(work.bytes) / seconds;
        rates += fmt::format("  {}/s", io::size_in_words(static_cast<std::uint64_t>(speed)));
    }
    const auto done = static_cast<double>(work.all_bytes > 0 ? work.bytes : work.items);
    const auto all = static_cast<double>(work.all_bytes > 0 ? work.all_bytes : work.all_items);
    if (done == 0)
    {
        return line;
    }
    return fmt::format("{}{}  {} left", line, rates, format_duration(seconds * (all - done) / done));
}
}  // namespace paws::logging
