#include "io/base/live_line.hpp"

#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "io/base/say.hpp"
#include "io/base/terminal.hpp"

namespace paws::io
{
namespace
{
constexpr std::chrono::milliseconds redraw_every{200};
constexpr std::chrono::seconds log_every{20};
}  // namespace

LiveLine::LiveLine(int descriptor) : descriptor_(descriptor) {}

LiveLine::~LiveLine()
{
    close();
}

bool LiveLine::is_redrawn() const
{
    // Below mpirun a rank has a terminal of its own, which is not the user's. A line that fills the last column may
    // wrap.
    return std::getenv("OMPI_COMM_WORLD_SIZE") == nullptr &&
           columns_ < static_cast<std::size_t>(redrawable_columns(descriptor_));
}

void LiveLine::update(const std::function<std::string()>& line)
{
    if (is_quiet())
    {
        return;
    }
    const auto waited = std::chrono::steady_clock::now() - last_;
    // A line is as long as the one before, more or less.
    if (waited >= log_every || (waited >= redraw_every && is_redrawn()))
    {
        const auto text = line();
        columns_ = columns_of(text);
        if (waited >= log_every || is_redrawn())
        {
            print(text, false);
        }
    }
}

void LiveLine::finish(const std::string& line)
{
    if (is_quiet())
    {
        return;
    }
    columns_ = columns_of(line);
    print(line, true);
}

void LiveLine::print(const std::string& line, bool last)
{
    last_ = std::chrono::steady_clock::now();
    if (!is_redrawn())
    {
        close();
        say(line + "\n");
        return;
    }
    // Back to the first column; what a longer line left behind is erased.
    say("\r" + line + "\x1b[K" + (last ? "\n" : ""));
    open_ = !last;
}

void LiveLine::say(const std::string& text) const
{
    descriptor_ == STDERR_FILENO ? say_error(text) : io::say(text);
}

void LiveLine::close()
{
    if (std::exchange(open_, false))
    {
        say("\n");
    }
}
}  // namespace paws::io
