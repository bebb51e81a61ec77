#include "src/session/stop_signals.hpp"

#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <functional>
#include <thread>

#include "io/files/atomic_file.hpp"
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

struct sigaction action_of(int number)
{
    struct sigaction action
    {
    };
    sigaction(number, nullptr, &action);
    return action;
}

/// Of a child: notes signals while a checkpoint is being written, and says so when it has begun.
[[noreturn]] void write_slowly(const std::filesystem::path& checkpoint, int ready)
{
    const auto signals = session::StopSignals::of_process();
    const io::AtomicFile unfinished(checkpoint);
    static_cast<void>(!write(ready, "x", 1));
    std::this_thread::sleep_for(60s);
    _exit(0);
}

/// A pipe for one byte.
struct Ready
{
    std::array<int, 2> ends{};
    Ready() { REQUIRE(pipe(ends.data()) == 0); }
    ~Ready()
    {
        close(ends[0]);
        close(ends[1]);
    }
    void wait() const
    {
        char byte = 0;
        REQUIRE(read(ends[0], &byte, 1) == 1);
    }
};
}  // namespace

TEST_CASE("each stop signal is noted, and the handlers go back", "[tasks][stop]")
{
    for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGXCPU, SIGUSR1, SIGUSR2})
    {
        const auto before = action_of(number);
        {
            const auto signals = session::StopSignals::of_process();
            CHECK(signals->received() == 0);
            raise(number);
            CHECK(comes_true([&] { return signals->received() == number; }));
            CHECK(session::StopSignals::of_process() == signals);
            CHECK(action_of(SIGPIPE).sa_handler == SIG_IGN);
        }
        CHECK(before.sa_handler == action_of(number).sa_handler);
        CHECK(action_of(SIGPIPE).sa_handler == SIG_DFL);
    }
    CHECK(session::signal_name(SIGUSR1) == "SIGUSR1");
    CHECK(session::signal_name(SIGHUP) == "SIGHUP");
    CHECK(session::signal_name(SIGXCPU) == "SIGXCPU");
}

TEST_CASE("a signal that is ignored when the program begins still is", "[tasks][stop]")
{
    auto* const before = std::signal(SIGHUP, SIG_IGN);
    {
        const auto signals = session::StopSignals::of_process();
        raise(SIGHUP);
        std::this_thread::sleep_for(50ms);
        CHECK(signals->received() == 0);
    }
    CHECK(std::signal(SIGHUP, before) == SIG_IGN);
}

TEST_CASE("signals that are held from the start act where no run begins", "[tasks][stop]")
{
    const pid_t child = fork();
    if (child == 0)
    {
        // That of the test framework, which knows no mercy.
        std::signal(SIGTERM, SIG_DFL);
        session::hold_stop_signals();
        raise(SIGTERM);
        std::this_thread::sleep_for(50ms);
        session::drop_stop_signals();
        _exit(0);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK((WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM));
}

TEST_CASE("whatever job systems send, a checkpoint that is being written is finished", "[tasks][stop]")
{
    const test::TemporaryFolder folder;
    const Ready ready;
    const pid_t child = fork();
    if (child == 0)
    {
        write_slowly(folder / "checkpoint.h5", ready.ends[1]);
    }
    ready.wait();
    for (const auto& round : {std::vector{SIGUSR1}, std::vector{SIGCONT, SIGTERM, SIGUSR1},
                              std::vector{SIGTERM, SIGHUP, SIGINT}, std::vector{SIGINT, SIGXCPU}})
    {
        for (const int number : round)
        {
            kill(child, number);
        }
        std::this_thread::sleep_for(1100ms);
    }
    int status = 0;
    CHECK(waitpid(child, &status, WNOHANG) == 0);
    CHECK(folder.entries() == 1);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
}

TEST_CASE("a second Ctrl-C ends the process without leftovers", "[tasks][stop]")
{
    const test::TemporaryFolder folder;
    const Ready ready;
    int terminal = -1;
    const pid_t child = forkpty(&terminal, nullptr, nullptr, nullptr);
    if (child == 0)
    {
        write_slowly(folder / "checkpoint.h5", ready.ends[1]);
    }
    ready.wait();
    constexpr char ctrl_c = 3;
    // What comes twice within a second is one.
    for (const auto wait : {100ms, 1100ms})
    {
        REQUIRE(write(terminal, &ctrl_c, 1) == 1);
        std::this_thread::sleep_for(wait);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, WNOHANG) == 0);
    CHECK(folder.entries() == 1);
    REQUIRE(write(terminal, &ctrl_c, 1) == 1);
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 128 + SIGINT);
    CHECK(folder.entries() == 0);
    close(terminal);
}
