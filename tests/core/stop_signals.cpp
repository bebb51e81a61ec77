#include "src/tasks/stop_signals.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <thread>

#include "io/atomic_file.hpp"
#include "tests/io/files.hpp"

using namespace paws;
using namespace std::chrono_literals;

namespace
{
bool comes_true(const std::function<bool()>& condition)
{
    for (int i = 0; i < 500 && !condition(); ++i)
    {
        std::this_thread::sleep_for(10ms);
    }
    return condition();
}
}  // namespace

TEST_CASE("each stop signal is noted, and the handlers go back", "[tasks][stop]")
{
    for (const int number : {SIGTERM, SIGINT, SIGUSR1, SIGUSR2})
    {
        struct sigaction before
        {
        };
        sigaction(number, nullptr, &before);
        {
            const tasks::StopSignals signals(true);
            CHECK(signals.received() == 0);
            raise(number);
            CHECK(comes_true([&] { return signals.received() == number; }));
        }
        struct sigaction after
        {
        };
        sigaction(number, nullptr, &after);
        CHECK(before.sa_handler == after.sa_handler);
    }
    CHECK(tasks::signal_name(SIGUSR1) == "SIGUSR1");
    CHECK(tasks::signal_name(SIGTERM) == "SIGTERM");
}

TEST_CASE("signals in one second count as one, a later one ends the process without leftovers", "[tasks][stop]")
{
    const test::TemporaryFolder folder;
    int ready[2];
    REQUIRE(pipe(ready) == 0);
    const pid_t child = fork();
    if (child == 0)
    {
        const tasks::StopSignals signals(true);
        const io::AtomicFile unfinished(folder / "checkpoint.h5");
        static_cast<void>(!write(ready[1], "x", 1));
        std::this_thread::sleep_for(60s);
        _exit(0);
    }
    char byte = 0;
    REQUIRE(read(ready[0], &byte, 1) == 1);
    kill(child, SIGTERM);
    kill(child, SIGUSR1);
    std::this_thread::sleep_for(300ms);
    int status = 0;
    REQUIRE(waitpid(child, &status, WNOHANG) == 0);
    CHECK(folder.entries() == 1);
    std::this_thread::sleep_for(1s);
    kill(child, SIGTERM);
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 128 + SIGTERM);
    CHECK(folder.entries() == 0);
    close(ready[0]);
    close(ready[1]);
}
