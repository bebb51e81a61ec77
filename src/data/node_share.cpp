#include "src/data/node_share.hpp"

#include <sched.h>

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

#include "io/base/process_limits.hpp"

namespace paws::data
{
namespace
{
std::int64_t cores_of_mask()
{
    cpu_set_t set;
    CPU_ZERO(&set);
    return sched_getaffinity(0, sizeof(set), &set) == 0 ? std::max(1, CPU_COUNT(&set)) : 1;
}

std::int64_t available_memory()
{
    std::ifstream file("/proc/meminfo");
    std::string key;
    std::int64_t kibibytes = 0;
    std::string unit;
    while (file >> key >> kibibytes)
    {
        std::getline(file, unit);
        if (key == "MemAvailable:")
        {
            return kibibytes * 1024;
        }
    }
    return std::int64_t{4} << 30;
}

/// What the control group (of a container, of a batch job) leaves.
std::int64_t memory_of_group()
{
    const auto limit = io::memory_limits().group;
    return limit.exists() ? static_cast<std::int64_t>(limit.left()) : std::numeric_limits<std::int64_t>::max();
}
}  // namespace

NodeShare node_share(std::int64_t ranks_on_node)
{
    const auto ranks = std::max<std::int64_t>(1, ranks_on_node);
    // Ranks that are not bound to cores of their own all see those of the node.
    const auto part = std::max<std::int64_t>(1, sysconf(_SC_NPROCESSORS_ONLN) / ranks);
    const auto cores = ranks == 1 ? cores_of_mask() : std::min(cores_of_mask(), part);
    return {cores, std::min(available_memory(), memory_of_group()) / ranks};
}
}  // namespace paws::data
