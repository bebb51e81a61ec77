#pragma once

#include <fmt/format.h>

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
/// Waits for calls that a device works on, in a thread of its own, so that one that never ends is noticed while the
/// main thread goes on, or waits for the device. Event: a type with `bool query() const`, true when the call has ended.
template <class Event>
class DeviceWatch
{
public:
    /// asynchronous_error: says what the library has met, or nothing; abort: ends the calls under way; on_failure: is
    /// told, once, after that.
    DeviceWatch(std::chrono::milliseconds deadline, std::function<std::string()> asynchronous_error,
                std::function<void()> abort, std::function<void(const std::string&)> on_failure)
        : deadline_(deadline),
          asynchronous_error_(std::move(asynchronous_error)),
          abort_(std::move(abort)),
          on_failure_(std::move(on_failure))
    {
    }
    ~DeviceWatch() { stop(); }
    DeviceWatch(const DeviceWatch&) = delete;
    DeviceWatch& operator=(const DeviceWatch&) = delete;

    void start()
    {
        thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
    }
    void stop()
    {
        thread_.request_stop();
        if (thread_.joinable() && thread_.get_id() != std::this_thread::get_id())
        {
            thread_.join();
        }
    }

    /// A call that has just been enqueued, and its end.
    void expect(const char* call, std::shared_ptr<const Event> end)
    {
        const std::lock_guard lock(mutex_);
        expected_.push_back({call, std::move(end), Clock::now()});
    }

private:
    using Clock = std::chrono::steady_clock;
    struct Expected
    {
        const char* call;
        std::shared_ptr<const Event> end;
        Clock::time_point since;
    };
    static constexpr auto pause = std::chrono::milliseconds(50);

    /// What is wrong, if anything. Calls end in the order in which they were enqueued, as far as it matters here: one
    /// in the background that ends late only keeps others listed for longer.
    std::string find_failure()
    {
        const std::lock_guard lock(mutex_);
        while (!expected_.empty() && expected_.front().end->query())
        {
            expected_.pop_front();
        }
        if (const auto error = asynchronous_error_(); !error.empty())
        {
            return fmt::format("NCCL: {}", error);
        }
        if (!expected_.empty() && Clock::now() - expected_.front().since > deadline_)
        {
            return fmt::format("{}: the other ranks' devices did not answer within {} s", expected_.front().call,
                               std::chrono::duration_cast<std::chrono::seconds>(deadline_).count());
        }
        return "";
    }

    void run(const std::stop_token& stop)
    {
        while (!stop.stop_requested())
        {
            if (const auto failure = find_failure(); !failure.empty())
            {
                abort_();
                on_failure_(failure);
                return;
            }
            std::this_thread::sleep_for(pause);
        }
    }

    const std::chrono::milliseconds deadline_;
    const std::function<std::string()> asynchronous_error_;
    const std::function<void()> abort_;
    const std::function<void(const std::string&)> on_failure_;
    std::mutex mutex_;
    std::deque<Expected> expected_;
    std::jthread thread_;
};
}  // namespace paws::comm
