#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>

namespace paws::session
{
/// While it lives, SIGTERM, SIGINT, SIGHUP, SIGXCPU, SIGUSR1 and SIGUSR2 ask a run to stop at its next step instead of
/// ending the process, however often they come and in whatever order: job systems send several, and a checkpoint takes
/// its time. Only a second Ctrl-C, a second or more after the first one and from a terminal, ends the process at once,
/// with 130, and takes the process' temporary files away: what is written is whole, as ever. A signal that was ignored
/// when the process began (nohup) still is. SIGPIPE and SIGXFSZ are ignored: who writes to a pipe that nobody reads, or
/// beyond the largest size of a file, is told so by the write. Afterwards all handlers are what they were.
class StopSignals
{
public:
    /// Those that live, or new ones: a process has one.
    static std::shared_ptr<StopSignals> of_process();

    ~StopSignals();
    StopSignals(const StopSignals&) = delete;
    StopSignals& operator=(const StopSignals&) = delete;

    /// The number of the signal that has come, 0 if none. Of several, the first.
    int received() const { return received_.load(std::memory_order_relaxed); }

    /// Whether from now on what comes, or has come, is said on stderr: the first signal and the first Ctrl-C.
    void announce(bool aloud);

private:
    StopSignals();
    void listen();
    void say_stop(int number, bool from_terminal) const;

    std::atomic<int> received_{0};
    std::atomic<bool> announces_{false};
    std::thread listener_;
};

/// From now on until the end of the process, or until drop_stop_signals(), signals are noted: a run that has not begun
/// yet stops after its first step then.
void hold_stop_signals();

/// What has been held acts as on any program, and so do signals from now on. Nothing, if none are held.
void drop_stop_signals();

/// "SIGUSR1".
std::string signal_name(int number);
}  // namespace paws::session
