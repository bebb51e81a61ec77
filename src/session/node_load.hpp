#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace paws::session
{
/// How busy this node is.
struct NodeLoad
{
    double of_minute = 0;       ///< the load average of the last minute
    std::int64_t runnable = 0;  ///< threads that run or wait for a core now, of all processes
    std::int64_t cores = 1;     ///< of the node, whether this process may use them or not
};

/// What the system says; nothing where it says nothing. Looks for a few milliseconds, for what runs all the time.
std::optional<NodeLoad> node_load();

/// From the text of /proc/loadavg, "1.02 0.61 0.30 3/214 12345"; nothing if it is another one.
std::optional<NodeLoad> parse_load(const std::string& text, std::int64_t cores);

/// A line of the table at the start of a run: other programs keep cores of the node busy that this run computes on.
/// `ranks`, `threads`: the run's on this node, and of each rank. Empty where there are cores enough for all. What ended
/// just now doesn't count, nor does what began just now: a run that resumes is no other program.
std::string describe_load(const NodeLoad& load, std::int64_t ranks, std::int64_t threads);
}  // namespace paws::session
