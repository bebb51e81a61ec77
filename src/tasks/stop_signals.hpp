#pragma once

#include <atomic>
#include <string>
#include <thread>

namespace paws::tasks
{
/// While it lives, SIGTERM, SIGINT, SIGUSR1 and SIGUSR2 ask a run to stop at its next step instead of ending the
/// process. The first one is announced on stderr, unless it is told to be silent. A second one ends the process at
/// once, with 128 plus its number, and takes the process' temporary files away: what is written is whole, as ever.
/// A launcher sends one signal again and again or to all ranks: within a second it counts as one. One per process at a
/// time; afterwards the handlers are what they were.
class StopSignals
{
public:
    explicit StopSignals(bool silent);
    ~StopSignals();
    StopSignals(const StopSignals&) = delete;
    StopSignals& operator=(const StopSignals&) = delete;

    /// The number of the signal that has come, 0 if none.
    int received() const { return received_.load(std::memory_order_relaxed); }

private:
    void listen();

    bool silent_;
    std::atomic<int> received_{0};
    std::thread listener_;
};

/// "SIGUSR1".
std::string signal_name(int number);
}  // namespace paws::tasks
