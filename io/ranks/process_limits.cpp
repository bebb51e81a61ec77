#include "io/ranks/process_limits.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace paws::ranks
{
namespace
{
using Text = std::array<char, 4096>;

/// The beginning of a file; empty if it cannot be read.
std::string_view read_small(const char* path, Text& text) noexcept
{
    const int number = ::open(path, O_RDONLY | O_CLOEXEC);
    if (number < 0)
    {
        return {};
    }
    const ssize_t got = ::read(number, text.data(), text.size() - 1);
    ::close(number);
    text[static_cast<std::size_t>(std::max<ssize_t>(got, 0))] = '\0';
    return {text.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
}

/// A whole number in a file; `none` for words such as "max", and where there is none.
std::uint64_t number_in(const char* path) noexcept
{
    Text text;
    const auto content = read_small(path, text);
    if (content.empty() || content.front() < '0' || content.front() > '9')
    {
        return MemoryLimit::none;
    }
    return std::strtoull(text.data(), nullptr, 10);
}

std::uint64_t limit_of(int resource) noexcept
{
    rlimit limit{};
    return getrlimit(static_cast<__rlimit_resource_t>(resource), &limit) != 0 || limit.rlim_cur == RLIM_INFINITY
               ? MemoryLimit::none
               : limit.rlim_cur;
}

/// One of the numbers of /proc/self/statm, in bytes.
std::uint64_t in_use(int field) noexcept
{
    Text text;
    const auto content = read_small("/proc/self/statm", text);
    const char* place = content.data();
    std::uint64_t pages = 0;
    for (int i = 0; i <= field && place != nullptr && !content.empty(); ++i)
    {
        char* end = nullptr;
        pages = std::strtoull(place, &end, 10);
        place = end;
    }
    return pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

/// The place of this process in a hierarchy of control groups: "" is version 2, "memory" that controller of version 1.
/// Empty if it is in none, or in the uppermost.
void group_path(std::string_view controller, std::array<char, 1024>& path) noexcept
{
    path[0] = '\0';
    Text text;
    auto rest = read_small("/proc/self/cgroup", text);
    while (!rest.empty())
    {
        const auto line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(rest.size(), line.size() + 1));
        const auto first = line.find(':');
        const auto second = first == line.npos ? line.npos : line.find(':', first + 1);
        if (second == line.npos)
        {
            continue;
        }
        const auto names = line.substr(first + 1, second - first - 1);
        const auto found = line.substr(second + 1);
        const bool is_it = names == controller || (!controller.empty() && names.find(controller) != names.npos);
        if (is_it && found.size() > 1 && found.size() < path.size())
        {
            std::memcpy(path.data(), found.data(), found.size());
            path[found.size()] = '\0';
            return;
        }
    }
}

/// Takes the tightest limit from this group up to the uppermost. A container may not see the path of its group: then
/// the uppermost that it sees is its own.
void find_group_limit(const char* root, std::string_view controller, const char* limit_name, const char* usage_name,
                      MemoryLimit& limit) noexcept
{
    std::array<char, 1024> path{};
    group_path(controller, path);
    std::array<char, 1400> file{};
    while (true)
    {
        std::snprintf(file.data(), file.size(), "%s%s/%s", root, path.data(), limit_name);
        if (const auto most = number_in(file.data()); most < limit.most)
        {
            std::snprintf(file.data(), file.size(), "%s%s/%s", root, path.data(), usage_name);
            const auto used = number_in(file.data());
            limit.most = most;
            limit.used = used == MemoryLimit::none ? 0 : used;
        }
        char* const last = std::strrchr(path.data(), '/');
        if (last == nullptr)
        {
            return;
        }
        *last = '\0';
    }
}

std::uint64_t memory_of_machine() noexcept
{
    return static_cast<std::uint64_t>(std::max(0L, sysconf(_SC_PHYS_PAGES))) *
           static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

void* wait_for_others(void* all)
{
    auto* const started = static_cast<pthread_mutex_t*>(all);
    pthread_mutex_lock(started);
    pthread_mutex_unlock(started);
    return nullptr;
}
}  // namespace

MemoryLimits memory_limits() noexcept
{
    MemoryLimits limits;
    limits.resident = in_use(1);
    limits.address_space = {"the address space of a process", "ulimit -v", limit_of(RLIMIT_AS), in_use(0)};
    limits.data = {"the data of a process", "ulimit -d", limit_of(RLIMIT_DATA), in_use(5)};
    limits.group = {"the memory of this job or container", "its control group", MemoryLimit::none, 0};
    find_group_limit("/sys/fs/cgroup", "", "memory.max", "memory.current", limits.group);
    find_group_limit("/sys/fs/cgroup/memory", "memory", "memory.limit_in_bytes", "memory.usage_in_bytes", limits.group);
    // Version 1 has a number for "no limit".
    if (limits.group.most >= memory_of_machine())
    {
        limits.group.most = MemoryLimit::none;
    }
    return limits;
}

cpu_set_t usable_core_set() noexcept
{
    cpu_set_t set;
    CPU_ZERO(&set);
    sched_getaffinity(0, sizeof(set), &set);
    return set;
}

std::size_t usable_cores() noexcept
{
    const auto set = usable_core_set();
    return static_cast<std::size_t>(std::max(1, CPU_COUNT(&set)));
}

std::size_t startable_threads(std::size_t wanted, std::size_t stack_bytes) noexcept
{
    constexpr std::size_t most = 1024;
    std::array<pthread_t, most> threads{};
    pthread_mutex_t started = PTHREAD_MUTEX_INITIALIZER;
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0)
    {
        return 0;
    }
    if (stack_bytes > 0)
    {
        pthread_attr_setstacksize(&attributes, stack_bytes);
    }
    std::size_t count = 0;
    pthread_mutex_lock(&started);
    while (count < std::min(wanted, most) &&
           pthread_create(&threads[count], &attributes, &wait_for_others, &started) == 0)
    {
        ++count;
    }
    pthread_mutex_unlock(&started);
    for (std::size_t i = 0; i < count; ++i)
    {
        pthread_join(threads[i], nullptr);
    }
    pthread_attr_destroy(&attributes);
    return count < most ? count : wanted;
}

void write_gibibytes(std::uint64_t bytes, std::array<char, 32>& text) noexcept
{
    std::snprintf(text.data(), text.size(), "%.2f GiB", static_cast<double>(bytes) / (1U << 30U));
}
}  // namespace paws::ranks
