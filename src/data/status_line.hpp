#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace paws::data
{
/// What the user watches while files are prepared, on standard error: one line that is redrawn on a terminal that
/// can do so and is wide enough; elsewhere a line now and then, and none for what takes moments.
class StatusLine
{
public:
    /// `what`: begins the line, "copying /data/imagenet.h5 to /local". One that does not speak prints nothing: on all
    /// ranks but one.
    StatusLine(std::string what, bool speaks);
    ~StatusLine();
    StatusLine(const StatusLine&) = delete;
    StatusLine& operator=(const StatusLine&) = delete;

    /// Of so many bytes: share, speed and time left.
    void update_bytes(std::uint64_t done, std::uint64_t total);
    /// Whatever else is to be said after `what`.
    void update(const std::string& text);

private:
    using Clock = std::chrono::steady_clock;

    bool is_redrawn() const;
    bool is_due() const;
    void close();
    void print(const std::string& text);

    const std::string what_;
    const bool speaks_;
    bool open_ = false;
    std::size_t columns_ = 0;  ///< of the last line
    const Clock::time_point start_ = Clock::now();
    Clock::time_point last_ = start_;
};

/// "12.3 GB of 147.0 GB, 512.0 MB/s, 4 min 23 s left".
std::string bytes_in_words(std::uint64_t done, std::uint64_t total, double seconds);
}  // namespace paws::data
