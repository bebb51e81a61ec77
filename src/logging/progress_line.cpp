#include "src/logging/progress_line.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "io/base/say.hpp"
#include "io/base/terminal.hpp"

namespace paws::logging
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
    auto line = fmt::format("epoch {}/{}  {}  lr {:.3g}  {:.0f} images/s  data wait {:.1f} %{}", v.epoch, v.epochs,
                            v.loss, v.learning_rate, v.images_per_second, 100 * v.data_wait_share,
                            v.ranks > 1 ? fmt::format("  comm {:.1f} %", 100 * v.comm_wait_share) : "");
    if (v.top1)
    {
        line += fmt::format("  top-1 {:.1f} %", 100 * *v.top1);
    }
    return line + fmt::format("  {} left", format_duration(v.seconds_left));
}

LiveLine::LiveLine()
    : may_redraw_(std::getenv("OMPI_COMM_WORLD_SIZE") == nullptr), last_(std::chrono::steady_clock::now())
{
}

LiveLine::~LiveLine()
{
    close();
}

bool LiveLine::is_redrawn(std::size_t columns) const
{
    // One that fills the last column may wrap.
    return may_redraw_ && columns < static_cast<std::size_t>(io::redrawable_columns(STDOUT_FILENO));
}

void LiveLine::update(const std::function<std::string()>& line)
{
    const auto waited = std::chrono::steady_clock::now() - last_;
    // A line is as long as the one before, more or less.
    if (waited >= log_every || (waited >= redraw_every && is_redrawn(columns_)))
    {
        const auto text = line();
        columns_ = io::columns_of(text);
        if (waited >= log_every || is_redrawn(columns_))
        {
            print(text, false);
        }
    }
}

void LiveLine::finish(const std::string& line)
{
    columns_ = io::columns_of(line);
    print(line, true);
}

void LiveLine::print(const std::string& line, bool last)
{
    last_ = std::chrono::steady_clock::now();
    if (!is_redrawn(columns_))
    {
        close();
        io::say(line + "\n");
        return;
    }
    // Back to the first column; what a longer line left behind is erased.
    io::say(fmt::format("\r{}\x1b[K{}", line, last ? "\n" : ""));
    open_ = !last;
}

void LiveLine::close()
{
    if (std::exchange(open_, false))
    {
        io::say("\n");
    }
}

void ProgressLine::update(const ProgressValues& values)
{
    line_.update([&] { return format_progress(values); });
}

void ProgressLine::finish(const ProgressValues& values)
{
    line_.finish(format_progress(values));
}
}  // namespace paws::logging
