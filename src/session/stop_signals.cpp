#include "src/session/stop_signals.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <mutex>
#include <optional>
#include <vector>

#include "io/base/error.hpp"
#include "io/base/say.hpp"
#include "io/files/atomic_file.hpp"

namespace paws::session
{
namespace
{
constexpr std::array stopping{SIGTERM, SIGINT, SIGHUP, SIGXCPU, SIGUSR1, SIGUSR2};
constexpr std::array ignored{SIGPIPE, SIGXFSZ};

/// What was in place of a handler of ours.
struct Before
{
    int number = 0;
    struct sigaction action
    {
    };
};

// What a handler may know is what is global: the pipe that it writes to, and where the signal is noted.
std::array<int, 2> pipe_ends{-1, -1};
std::atomic<int>* noted = nullptr;
std::vector<Before> before;

/// What goes through the pipe; whole, since it is so short.
struct Message
{
    unsigned char number = 0;  ///< 0, which no signal has: the listener ends; all_at_once: it looks at what was noted
    unsigned char from_terminal = 0;
};
constexpr unsigned char all_at_once = 255;

void send(const Message& message)
{
    const int kept = errno;
    static_cast<void>(!write(pipe_ends[1], &message, sizeof(message)));
    errno = kept;
}

extern "C" void note_signal(int number, siginfo_t* info, void*)
{
    int none = 0;
    noted->compare_exchange_strong(none, number, std::memory_order_relaxed);
    // The terminal's own, as opposed to kill(1), a launcher or a job system.
    send({static_cast<unsigned char>(number), static_cast<unsigned char>(info->si_code == SI_KERNEL ? 1 : 0)});
}

/// Leaves alone what is ignored already.
void install(int number, const struct sigaction& ours)
{
    Before found;
    found.number = number;
    if (sigaction(number, nullptr, &found.action) == 0 &&
        ((found.action.sa_flags & SA_SIGINFO) != 0 || found.action.sa_handler != SIG_IGN) &&
        sigaction(number, &ours, nullptr) == 0)
    {
        before.push_back(found);
    }
}

std::mutex holding;
std::shared_ptr<StopSignals>& held()
{
    // Never destroyed: signals are noted until the process is gone.
    static auto* const signals = new std::shared_ptr<StopSignals>;
    return *signals;
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
        case SIGHUP:
            return "SIGHUP";
        case SIGXCPU:
            return "SIGXCPU";
        case SIGUSR1:
            return "SIGUSR1";
        case SIGUSR2:
            return "SIGUSR2";
        default:
            return fmt::format("signal {}", number);
    }
}

std::shared_ptr<StopSignals> StopSignals::of_process()
{
    static std::mutex making;
    static std::weak_ptr<StopSignals> living;
    const std::lock_guard guard(making);
    auto signals = living.lock();
    if (!signals)
    {
        signals = std::shared_ptr<StopSignals>(new StopSignals);
        living = signals;
    }
    return signals;
}

StopSignals::StopSignals()
{
    if (pipe2(pipe_ends.data(), O_CLOEXEC) != 0)
    {
        throw io::SystemError("signals", "pipe2 failed");
    }
    // A handler must never wait; the listener may.
    fcntl(pipe_ends[1], F_SETFL, O_NONBLOCK);
    noted = &received_;
    listener_ = std::thread([this] { listen(); });
    struct sigaction ours
    {
    };
    ours.sa_sigaction = &note_signal;
    ours.sa_flags = SA_RESTART | SA_SIGINFO;
    for (const int number : stopping)
    {
        install(number, ours);
    }
    struct sigaction ignoring
    {
    };
    ignoring.sa_handler = SIG_IGN;
    for (const int number : ignored)
    {
        install(number, ignoring);
    }
}

StopSignals::~StopSignals()
{
    for (const auto& found : before)
    {
        sigaction(found.number, &found.action, nullptr);
    }
    before.clear();
    send({});
    listener_.join();
    for (int& end : pipe_ends)
    {
        close(end);
        end = -1;
    }
}

void StopSignals::announce(bool aloud)
{
    if (!announces_.exchange(aloud) && aloud)
    {
        send({all_at_once, 0});
    }
}

void StopSignals::say_stop(int number, bool from_terminal) const
{
    io::say_error(fmt::format("{}: the run stops after this step, with a checkpoint{}\n", signal_name(number),
                              from_terminal ? "; a second Ctrl-C ends it at once" : ""));
}

void StopSignals::listen()
{
    using Clock = std::chrono::steady_clock;
    bool is_said = false;
    std::optional<Clock::time_point> first_interrupt;
    while (true)
    {
        Message message;
        const auto got = read(pipe_ends[0], &message, sizeof(message));
        if (got < 0 && errno == EINTR)
        {
            continue;
        }
        if (got != sizeof(message) || message.number == 0)
        {
            return;
        }
        const bool is_interrupt = message.number == SIGINT && message.from_terminal != 0;
        const auto now = Clock::now();
        if (is_interrupt && first_interrupt && now - *first_interrupt > std::chrono::seconds(1))
        {
            io::exit_without_temporaries(128 + SIGINT);
        }
        const bool is_news = !is_said || (is_interrupt && !first_interrupt);
        if (is_interrupt && !first_interrupt)
        {
            first_interrupt = now;
        }
        const int number = message.number == all_at_once ? received() : message.number;
        if (is_news && announces_ && number != 0)
        {
            is_said = true;
            say_stop(number, is_interrupt || (message.number == all_at_once && first_interrupt));
        }
    }
}

void hold_stop_signals()
{
    const std::lock_guard guard(holding);
    held() = StopSignals::of_process();
}

void drop_stop_signals()
{
    const std::lock_guard guard(holding);
    if (!held())
    {
        return;
    }
    const int number = held()->received();
    held().reset();
    if (number != 0)
    {
        raise(number);
    }
}
}  // namespace paws::session
