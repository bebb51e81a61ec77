#include "src/data/node_share.hpp"

#include <sched.h>

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <string>

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

std::optional<std::int64_t> number_in(const char* path)
{
    std::ifstream file(path);
    std::int64_t value = 0;
    return file >> value ? std::optional(value) : std::nullopt;
}

/// What the control group (of a container, of a SLURM job) leaves; version 2, then version 1.
std::int64_t memory_of_group()
{
    for (const auto& [limit, usage] :
         {std::pair{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"},
          std::pair{"/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"}})
    {
        if (const auto most = number_in(limit))
        {
            return std::max<std::int64_t>(0, *most - number_in(usage).value_or(0));
        }
    }
    return std::numeric_limits<std::int64_t>::max();
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
