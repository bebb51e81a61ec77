#include "src/train/progress_line.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace paws::train
{
namespace
{
constexpr std::chrono::milliseconds redraw_every{200};
constexpr std::chrono::seconds log_every{20};
}  // namespace

std::string format_duration(double seconds)
{
    const auto total = static_cast<std::int64_t>(std::llround(std::max(0.0, seconds)));
    if (total < 60)
    {
        return fmt::format("{} s", total);
    }
    if (total < 3600)
    {
        return fmt::format("{} min {:02} s", total / 60, total % 60);
    }
    return fmt::format("{} h {:02} min", total / 3600, total % 3600 / 60);
}

std::string format_progress(const ProgressValues& v)
{
    auto line = fmt::format("epoch {}/{}  {}  lr {:.3g}  {:.0f} pictures/s  data wait {:.1f} %{}", v.epoch, v.epochs,
                            v.loss, v.learning_rate, v.pictures_per_second, 100 * v.data_wait_share,
                            v.ranks > 1 ? fmt::format("  comm {:.1f} %", 100 * v.comm_wait_share) : "");
    if (v.top1)
    {
        line += fmt::format("  top-1 {:.1f} %", 100 * *v.top1);
    }
    return line + fmt::format("  {} left", format_duration(v.seconds_left));
}

LiveLine::LiveLine()
    : terminal_(isatty(STDOUT_FILENO) != 0 && std::getenv("OMPI_COMM_WORLD_SIZE") == nullptr),
      last_(std::chrono::steady_clock::now())
{
}

LiveLine::~LiveLine()
{
    if (open_)
    {
        std::fputc('\n', stdout);
        std::fflush(stdout);
    }
}

void LiveLine::update(const std::function<std::string()>& line)
{
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ < (terminal_ ? std::chrono::duration_cast<std::chrono::milliseconds>(redraw_every)
                                 : std::chrono::duration_cast<std::chrono::milliseconds>(log_every)))
    {
        return;
    }
    print(line(), false);
}

void LiveLine::finish(const std::string& line)
{
    print(line, true);
}

void LiveLine::print(const std::string& line, bool last)
{
    last_ = std::chrono::steady_clock::now();
    if (terminal_)
    {
        // Back to the first column; what a longer line left behind is erased.
        fmt::print("\r{}\x1b[K", line);
        open_ = !last;
    }
    else
    {
        fmt::print("{}", line);
    }
    if (!terminal_ || last)
    {
        std::fputc('\n', stdout);
    }
    std::fflush(stdout);
}

void ProgressLine::update(const ProgressValues& values)
{
    line_.update([&] { return format_progress(values); });
}

void ProgressLine::finish(const ProgressValues& values)
{
    line_.finish(format_progress(values));
}
}  // namespace paws::train
