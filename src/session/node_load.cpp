#include "src/session/node_load.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <string>
#include <thread>

namespace paws::session
{
std::optional<NodeLoad> parse_load(const std::string& text, std::int64_t cores)
{
    NodeLoad load{0, 0, cores};
    long long runnable = 0;
    if (std::sscanf(text.c_str(), "%lf %*f %*f %lld/", &load.of_minute, &runnable) != 2)
    {
        return std::nullopt;
    }
    load.runnable = runnable;
    return load;
}

std::optional<NodeLoad> node_load()
{
    const auto cores = std::max<std::int64_t>(1, sysconf(_SC_NPROCESSORS_ONLN));
    std::optional<NodeLoad> least;
    for (int look = 0; look < 5; ++look)
    {
        std::string text;
        std::ifstream file("/proc/loadavg");
        std::getline(file, text);
        const auto load = parse_load(text, cores);
        if (!load)
        {
            return std::nullopt;
        }
        if (!least || load->runnable < least->runnable)
        {
            least = load;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return least;
}

std::string describe_load(const NodeLoad& load, std::int64_t ranks, std::int64_t threads)
{
    // Each rank has one thread that runs now: the one that asks, or waits for it.
    const auto others = std::min(load.of_minute, static_cast<double>(load.runnable - ranks));
    const auto busy = static_cast<std::int64_t>(std::llround(others));
    if (busy < 1 || busy + ranks * threads <= load.cores)
    {
        return "";
    }
    const auto left = std::max<std::int64_t>(1, (load.cores - busy) / ranks);
    return fmt::format(
        "load            other programs keep {} of this node's {} cores busy, and the run computes with {} threads: it "
        "will be slower{}\n",
        std::min(busy, load.cores), load.cores, ranks * threads,
        left < threads ? fmt::format("; end them, or set meta.threads: {}", left) : "; end them");
}
}  // namespace paws::session
