#include "io/ranks/process_limits.hpp"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <string>

#include "tests/support/catch.hpp"

using namespace paws;

namespace
{
/// Whether `check` holds in a process with such a limit.
bool holds_with(__rlimit_resource_t resource, rlim_t most, const std::function<bool()>& check)
{
    const pid_t child = fork();
    if (child == 0)
    {
        const rlimit limit{most, most};
        _exit(setrlimit(resource, &limit) == 0 && check() ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
}  // namespace

TEST_CASE("limits on memory are known with what is used of them", "[io][process_limits]")
{
    constexpr rlim_t most = rlim_t{1} << 45U;
    CHECK(holds_with(RLIMIT_AS, most,
                     []
                     {
                         const auto limit = ranks::memory_limits().address_space;
                         return limit.exists() && limit.most == most && limit.used > (1U << 20U) &&
                                limit.left() == most - limit.used;
                     }));
    CHECK(holds_with(RLIMIT_DATA, most,
                     []
                     {
                         const auto limit = ranks::memory_limits().data;
                         return limit.most == most && limit.used > (1U << 16U) &&
                                limit.used < ranks::memory_limits().address_space.used;
                     }));
    CHECK(holds_with(RLIMIT_AS, 4096, [] { return ranks::memory_limits().address_space.left() == 0; }));
    CHECK(holds_with(RLIMIT_AS, RLIM_INFINITY, [] { return !ranks::memory_limits().address_space.exists(); }));
    const auto group = ranks::memory_limits().group;
    CHECK((!group.exists() || group.left() <= group.most));
    CHECK(ranks::usable_cores() >= 1);
}

TEST_CASE("threads that can be started are counted without starting a run", "[io][process_limits]")
{
    CHECK(ranks::startable_threads(0) == 0);
    CHECK(ranks::startable_threads(20) == 20);
    CHECK(ranks::startable_threads(4, std::size_t{1} << 20U) == 4);
    // No machine has room for such stacks.
    CHECK(ranks::startable_threads(4, std::size_t{1} << 60U) < 4);
}

TEST_CASE("sizes are said in GiB", "[io][process_limits]")
{
    std::array<char, 32> text{};
    ranks::write_gibibytes(std::uint64_t{1536} << 20U, text);
    CHECK(std::string(text.data()) == "1.50 GiB");
}
