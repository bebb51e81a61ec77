#include "src/session/stop_rule.hpp"

#include <fmt/format.h>

#include <charconv>

#include "src/config/config.hpp"

namespace paws::session
{
namespace
{
/// A step or a write may take longer than any before, and the end of the program takes a while too.
constexpr double safety_factor = 2;
constexpr double seconds_to_end = 10;

std::optional<std::chrono::seconds> unit_of(const std::string& name)
{
    using namespace std::chrono_literals;
    if (name == "s")
    {
        return 1s;
    }
    if (name == "m")
    {
        return 60s;
    }
    if (name == "h")
    {
        return 3600s;
    }
    if (name == "d")
    {
        return 86400s;
    }
    return std::nullopt;
}
}  // namespace

StopAfter parse_stop_after(const std::string& text)
{
    if (text.empty())
    {
        return {};
    }
    std::int64_t number = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
    const std::string unit(static_cast<const char*>(parsed.ptr), text.data() + text.size());
    // A hundred years, so that nothing overflows.
    constexpr std::int64_t most_seconds = std::int64_t{36500} * 86400;
    if (parsed.ec == std::errc{} && number >= 1 && unit == "ep")
    {
        return {number, std::nullopt, std::nullopt};
    }
    if (parsed.ec == std::errc{} && number >= 1 && unit == "steps")
    {
        return {std::nullopt, number, std::nullopt};
    }
    const auto seconds = unit_of(unit);
    if (parsed.ec == std::errc{} && number >= 1 && seconds && number <= most_seconds / seconds->count())
    {
        return {std::nullopt, std::nullopt, number * *seconds};
    }
    throw config::Error(fmt::format(
        "--stop-after: '{}' is not a number of epochs or steps, nor a time; write for example 3ep, 500steps, 45m or 2h",
        text));
}

TimeLimit TimeLimit::of(const StopAfter& asked, Clock::time_point start,
                        std::optional<std::chrono::seconds> job_seconds)
{
    std::optional<Clock::time_point> end;
    std::string name;
    if (asked.duration)
    {
        end = start + *asked.duration;
        name = "--stop-after";
    }
    if (job_seconds)
    {
        const auto job_end = Clock::now() + *job_seconds;
        if (!end || job_end < *end)
        {
            end = job_end;
            name = "the job's time limit";
        }
    }
    return {end, name};
}

std::optional<std::string> TimeLimit::reason(double step_seconds, double checkpoint_seconds,
                                             Clock::time_point now) const
{
    if (!end_)
    {
        return std::nullopt;
    }
    const std::chrono::duration<double> left = *end_ - now;
    if (left.count() > safety_factor * (step_seconds + checkpoint_seconds) + seconds_to_end)
    {
        return std::nullopt;
    }
    return name_;
}
}  // namespace paws::session
