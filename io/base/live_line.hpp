#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>

namespace paws::io
{
/// What the user watches: one line that is redrawn on a terminal that can do so and is wide enough for it; elsewhere a
/// line now and then, so that log files stay short, and none for what takes moments. Where is_quiet(), nothing.
class LiveLine
{
public:
    /// `descriptor`: of standard output or standard error.
    explicit LiveLine(int descriptor);
    ~LiveLine();
    LiveLine(const LiveLine&) = delete;
    LiveLine& operator=(const LiveLine&) = delete;

    /// Prints what `line` gives, if it is time.
    void update(const std::function<std::string()>& line);
    /// Ends the line so that other output begins below it; it is printed even where update would have waited.
    void finish(const std::string& line);
    /// Ends the line as it is, if there is one.
    void close();

private:
    bool is_redrawn() const;
    void print(const std::string& line, bool last);
    void say(const std::string& text) const;

    int descriptor_;
    bool open_ = false;
    std::size_t columns_ = 0;  ///< of the last line
    std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};
}  // namespace paws::io
