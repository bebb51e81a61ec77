#include "io/ranks/overdue.hpp"

#include <algorithm>
#include <utility>

#include "io/ranks/mpi_call.hpp"

namespace paws::ranks
{
Overdue::Overdue(std::chrono::milliseconds deadline, std::string message)
    : message_(std::move(message)), thread_([this, deadline] { watch(deadline); })
{
}

Overdue::~Overdue()
{
    {
        const std::lock_guard lock(mutex_);
        is_over_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void Overdue::watch(std::chrono::milliseconds deadline)
{
    // In short steps: a job that was suspended did not wait meanwhile.
    constexpr std::chrono::milliseconds longest_step(1000);
    std::unique_lock lock(mutex_);
    for (auto left = deadline; left.count() > 0;)
    {
        const auto step = std::min(left, longest_step);
        if (changed_.wait_for(lock, step, [this] { return is_over_; }))
        {
            return;
        }
        left -= step;
    }
    throw CallError(message_);
}
}  // namespace paws::ranks
