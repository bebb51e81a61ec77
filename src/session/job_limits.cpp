#include "src/session/job_limits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <vector>

namespace paws::session
{
namespace
{
using std::chrono::seconds;

/// A number without a sign that does not overflow, or nothing.
std::optional<std::int64_t> parse_count(const std::string& text)
{
    const bool is_number =
        !text.empty() && text.size() < 18 && text.find_first_not_of("0123456789") == std::string::npos;
    return is_number ? std::optional(std::stoll(text)) : std::nullopt;
}

/// What squeue says; empty if it fails or takes too long.
std::string ask_squeue(std::int64_t job)
{
    auto* const pipe = popen(fmt::format("timeout -k 1 5 squeue -h -j {} -o %L 2>/dev/null", job).c_str(), "re");
    if (pipe == nullptr)
    {
        return "";
    }
    std::array<char, 256> buffer{};
    std::string text;
    while (std::fgets(buffer.data(), buffer.size(), pipe) != nullptr)
    {
        text += buffer.data();
    }
    pclose(pipe);
    const auto begin = text.find_first_not_of(" \n");
    const auto end = text.find_last_not_of(" \n");
    return begin == std::string::npos ? "" : text.substr(begin, end - begin + 1);
}
}  // namespace

std::string environment_variable(const char* name)
{
    const char* const value = std::getenv(name);
    return value == nullptr ? "" : value;
}

std::optional<seconds> parse_time_left(const std::string& text)
{
    // Days, hours, minutes, seconds, from the right.
    constexpr std::array<std::int64_t, 4> lengths{1, 60, 3600, 86400};
    std::int64_t total = 0;
    std::size_t place = 0, end = text.size();
    while (true)
    {
        const auto begin = end == 0 ? std::string::npos : text.find_last_of(":-", end - 1);
        const auto part = parse_count(text.substr(begin == std::string::npos ? 0 : begin + 1,
                                                  end - (begin == std::string::npos ? 0 : begin + 1)));
        if (!part || place == lengths.size())
        {
            return std::nullopt;
        }
        total += *part * lengths[place++];
        if (begin == std::string::npos)
        {
            break;
        }
        // A dash stands before hours, and nowhere else.
        if ((text[begin] == '-') != (place == 3))
        {
            return std::nullopt;
        }
        end = begin;
    }
    // Seconds alone are not what squeue writes.
    return place < 2 ? std::nullopt : std::optional(seconds(total));
}

std::optional<seconds> seconds_until_job_ends()
{
    const auto job = parse_count(environment_variable("SLURM_JOB_ID"));
    if (!job)
    {
        return std::nullopt;
    }
    if (const auto end = parse_count(environment_variable("SLURM_JOB_END_TIME")))
    {
        return seconds(std::max<std::int64_t>(0, *end - std::time(nullptr)));
    }
    return parse_time_left(ask_squeue(*job));
}
}  // namespace paws::session
