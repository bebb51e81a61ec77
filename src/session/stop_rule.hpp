#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace paws::session
{
/// The exit code of a run that has stopped before its end, with a checkpoint that it resumes from: the same command
/// line resumes it.
inline constexpr int resume_me = 85;

/// What --stop-after asks for: one of them, or none. Epochs and steps are an end that was asked for; a duration, as a
/// job's time limit, is an end that comes too early, see resume_me.
struct StopAfter
{
    std::optional<std::int64_t> epochs;            ///< of the run
    std::optional<std::int64_t> steps;             ///< of the run
    std::optional<std::chrono::seconds> duration;  ///< since the start of the training
};

/// Reads "3ep", "500steps", "90s", "45m", "2h" or "1d"; empty: no limit. Throws config::Error for anything else.
StopAfter parse_stop_after(const std::string& text);

/// Whether time runs out: asked after each step by the rank that decides for all.
class TimeLimit
{
public:
    using Clock = std::chrono::steady_clock;

    /// `end`: none, there is no limit. `name`: what is said about it, such as "--stop-after".
    TimeLimit(std::optional<Clock::time_point> end, std::string name) : end_(end), name_(std::move(name)) {}

    /// The earlier of what the user and what the job allow. `job_seconds`: until the job ends, if it is known.
    static TimeLimit of(const StopAfter& asked, Clock::time_point start,
                        std::optional<std::chrono::seconds> job_seconds);

    /// Why to stop now: a further step of `step_seconds` and a checkpoint that may take `checkpoint_seconds` would
    /// come too close to the end.
    std::optional<std::string> reason(double step_seconds, double checkpoint_seconds,
                                      Clock::time_point now = Clock::now()) const;

private:
    std::optional<Clock::time_point> end_;
    std::string name_;
};
}  // namespace paws::session
