#include "src/tasks/stop_signals.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <optional>

#include "io/atomic_file.hpp"
#include "io/error.hpp"

namespace paws::tasks
{
namespace
{
constexpr std::array stopping{SIGTERM, SIGINT, SIGUSR1, SIGUSR2};

/// What a handler may know is what is global: the pipe that it writes the signal's number to.
std::array<int, 2> pipe_ends{-1, -1};
std::array<struct sigaction, stopping.size()> before;

/// Ends the listener. No signal has this number.
constexpr unsigned char no_more = 0;

void write_number(unsigned char number)
{
    const int kept = errno;
    static_cast<void>(!write(pipe_ends[1], &number, 1));
    errno = kept;
}

extern "C" void note_signal(int number)
{
    write_number(static_cast<unsigned char>(number));
}
}  // namespace

std::string signal_name(int number)
{
    switch (number)
    {
        case SIGTERM:
            return "SIGTERM";
        case SIGINT:
            return "SIGINT";
        case SIGUSR1:
            return "SIGUSR1";
        case SIGUSR2:
            return "SIGUSR2";
        default:
            return fmt::format("signal {}", number);
    }
}

StopSignals::StopSignals(bool silent) : silent_(silent)
{
    if (pipe2(pipe_ends.data(), O_CLOEXEC) != 0)
    {
        throw io::SystemError("signals", "pipe2 failed");
    }
    // A handler must never wait; the listener may.
    fcntl(pipe_ends[1], F_SETFL, O_NONBLOCK);
    listener_ = std::thread([this] { listen(); });
    struct sigaction ours
    {
    };
    ours.sa_handler = &note_signal;
    ours.sa_flags = SA_RESTART;
    for (std::size_t i = 0; i < stopping.size(); ++i)
    {
        sigaction(stopping[i], &ours, &before[i]);
    }
}

StopSignals::~StopSignals()
{
    for (std::size_t i = 0; i < stopping.size(); ++i)
    {
        sigaction(stopping[i], &before[i], nullptr);
    }
    write_number(no_more);
    listener_.join();
    for (int& end : pipe_ends)
    {
        close(end);
        end = -1;
    }
}

void StopSignals::listen()
{
    using Clock = std::chrono::steady_clock;
    std::optional<Clock::time_point> first;
    while (true)
    {
        unsigned char number = no_more;
        const auto got = read(pipe_ends[0], &number, 1);
        if (got < 0 && errno == EINTR)
        {
            continue;
        }
        if (got != 1 || number == no_more)
        {
            return;
        }
        const auto now = Clock::now();
        if (!first)
        {
            first = now;
            received_.store(number, std::memory_order_relaxed);
            if (!silent_)
            {
                fmt::print(stderr,
                           "{}: the run stops after this step, with a checkpoint; a second signal ends it at once\n",
                           signal_name(number));
            }
        }
        else if (now - *first > std::chrono::seconds(1))
        {
            io::exit_without_temporaries(128 + number);
        }
    }
}
}  // namespace paws::tasks
