#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace paws::ranks
{
/// For calls of other libraries in which ranks wait for each other without end, even where one of them has failed:
/// while it lives for longer than `deadline`, the process ends like one whose thread throws CallError (see
/// std::terminate).
class Overdue
{
public:
    /// `message`: what does not end, and why that may be.
    Overdue(std::chrono::milliseconds deadline, std::string message);
    ~Overdue();
    Overdue(const Overdue&) = delete;
    Overdue& operator=(const Overdue&) = delete;

private:
    void watch(std::chrono::milliseconds deadline);

    std::string message_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool is_over_ = false;
    std::thread thread_;
};
}  // namespace paws::ranks
