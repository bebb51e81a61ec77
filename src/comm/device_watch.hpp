#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace paws::comm
{
/// What a DeviceWatch calls, all from its own thread.
struct DeviceWatchCalls
{
    std::function<void()> enter_thread;               ///< first of all
    std::function<std::string()> asynchronous_error;  ///< says what the library has met, or nothing
    std::function<void(const std::string&)> on_failure;
    /// Ends the calls under way. Comes after on_failure: a main thread that waits for the device goes on then, with
    /// numbers that mean nothing.
    std::function<void()> abort;
};

/// Waits for calls that a device works on, in a thread of its own, so that one that never ends is noticed while the
/// main thread goes on, or waits for the device. Event: a type with `bool query() const`, true when the call has ended.
template <class Event>
class DeviceWatch
{
public:
    DeviceWatch(std::chrono::milliseconds deadline, DeviceWatchCalls calls)
        : deadline_(deadline), calls_(std::move(calls))
    {
    }

    void start()
    {
        thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
    }
    void stop() { thread_ = std::jthread(); }

    /// A call that begins, and its end.
    void expect(const char* call, std::shared_ptr<const Event> end)
    {
        const std::lock_guard lock(mutex_);
        expected_.push_back({call, std::move(end), passed_});
    }

private:
    using Clock = std::chrono::steady_clock;
    struct Expected
    {
        const char* call;
        std::shared_ptr<const Event> end;
        Clock::duration since;
    };
    static constexpr auto pause = std::chrono::milliseconds(50);
    static constexpr Clock::duration longest_step = std::chrono::seconds(1);

    /// What is wrong, if anything. Calls end in the order in which they began, as far as it matters here: one in the
    /// background that ends late only keeps others listed for longer.
    std::string find_failure()
    {
        const std::lock_guard lock(mutex_);
        // A job that was suspended did not wait meanwhile.
        const auto now = Clock::now();
        passed_ += std::min(now - last_look_, longest_step);
        last_look_ = now;
        while (!expected_.empty() && expected_.front().end->query())
        {
            expected_.pop_front();
        }
        if (const auto error = calls_.asynchronous_error(); !error.empty())
        {
            return fmt::format("NCCL: {}", error);
        }
        if (!expected_.empty() && passed_ - expected_.front().since > deadline_)
        {
            return fmt::format(
                "{}: the other ranks' devices did not answer within {} s; one of them is stuck, or slower than "
                "meta.comm_timeout allows",
                expected_.front().call, std::chrono::duration_cast<std::chrono::seconds>(deadline_).count());
        }
        return "";
    }

    void run(const std::stop_token& stop)
    {
        std::string failure;
        try
        {
            calls_.enter_thread();
            last_look_ = Clock::now();
            while (!stop.stop_requested() && failure.empty())
            {
                failure = find_failure();
                if (failure.empty())
                {
                    std::this_thread::sleep_for(pause);
                }
            }
        }
        catch (const std::exception& error)
        {
            // The device itself has failed.
            failure = error.what();
        }
        if (!failure.empty())
        {
            calls_.on_failure(failure);
            calls_.abort();
        }
    }

    const std::chrono::milliseconds deadline_;
    const DeviceWatchCalls calls_;
    std::mutex mutex_;
    std::deque<Expected> expected_;
    Clock::duration passed_{};  ///< by the clock, without what the process was suspended for
    Clock::time_point last_look_;
    std::jthread thread_;  ///< the last member, so that it ends before what it uses
};
}  // namespace paws::comm
