#pragma once

#include <sched.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>

#include "io/ranks/mpi_call.hpp"

namespace paws::ranks
{
/// Long enough that nobody sees its end.
inline constexpr std::chrono::milliseconds no_deadline = std::chrono::hours(24 * 365 * 100);

/// Polls `ended` until it says so. For the first moments without pause, since most calls end within microseconds once
/// all ranks are there; then with the core given to whoever wants it, ranks of the same node for example; at last, with
/// sleeps that are short beside the wait itself, `longest_pause` at most. Throws CallError after `deadline`.
template <class Ended>
void wait_until(const Ended& ended, std::chrono::milliseconds deadline, const char* call,
                std::chrono::microseconds longest_pause)
{
    using Clock = std::chrono::steady_clock;
    constexpr Clock::duration eager = std::chrono::microseconds(20);
    constexpr Clock::duration patient = std::chrono::milliseconds(2);
    constexpr Clock::duration shortest_pause = std::chrono::microseconds(50);
    constexpr Clock::duration longest_step = std::chrono::seconds(1);
    auto last = Clock::now();
    Clock::duration waited{};
    while (!ended())
    {
        // A job that was suspended did not wait meanwhile.
        const auto now = Clock::now();
        waited += std::min(now - last, longest_step);
        last = now;
        if (waited > deadline)
        {
            const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(deadline).count();
            throw CallError(std::string(call) + ": the other ranks did not answer within " + std::to_string(seconds) +
                            " s; one of them is stuck, or slower than meta.comm_timeout allows");
        }
        if (waited > patient)
        {
            std::this_thread::sleep_for(std::clamp<Clock::duration>(waited / 20, shortest_pause, longest_pause));
        }
        else if (waited > eager)
        {
            sched_yield();
        }
    }
}
}  // namespace paws::ranks
