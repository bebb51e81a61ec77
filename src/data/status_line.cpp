#include "src/data/status_line.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <utility>

#include "io/base/printable.hpp"
#include "io/base/say.hpp"
#include "io/base/terminal.hpp"
#include "io/files/local_copy.hpp"

namespace paws::data
{
namespace
{
constexpr std::chrono::milliseconds redraw_every{200};
constexpr std::chrono::milliseconds log_every{20'000};
}  // namespace

std::string bytes_in_words(std::uint64_t done, std::uint64_t total, double seconds)
{
    const auto of = fmt::format("{} of {}", io::size_in_words(done), io::size_in_words(total));
    if (done == 0 || seconds <= 0)
    {
        return of;
    }
    const double speed = static_cast<double>(done) / seconds;
    const auto left = std::llround(static_cast<double>(total - done) / speed);
    return fmt::format("{}, {}/s, {} min {:02} s left", of, io::size_in_words(static_cast<std::uint64_t>(speed)),
                       left / 60, left % 60);
}

StatusLine::StatusLine(std::string what, bool speaks) : what_(io::printable(what)), speaks_(speaks) {}

StatusLine::~StatusLine()
{
    close();
}

bool StatusLine::is_redrawn() const
{
    // One that fills the last column may wrap. The first line's length is not known: there is more to come than `what`.
    constexpr std::size_t usual = 40;
    const auto columns = columns_ > 0 ? columns_ : io::columns_of(what_) + usual;
    return columns < static_cast<std::size_t>(io::redrawable_columns(STDERR_FILENO));
}

bool StatusLine::is_due() const
{
    return speaks_ && Clock::now() - last_ >= (is_redrawn() ? redraw_every : log_every);
}

void StatusLine::update_bytes(std::uint64_t done, std::uint64_t total)
{
    if (is_due())
    {
        print(bytes_in_words(done, total, std::chrono::duration<double>(Clock::now() - start_).count()));
    }
}

void StatusLine::update(const std::string& text)
{
    if (is_due())
    {
        print(text);
    }
}

void StatusLine::print(const std::string& text)
{
    last_ = Clock::now();
    const auto line = fmt::format("{}: {}", what_, text);
    columns_ = io::columns_of(line);
    if (is_redrawn())
    {
        io::say_error(fmt::format("\r{}\x1b[K", line));
        open_ = true;
    }
    else
    {
        close();
        io::say_error(line + "\n");
    }
}

void StatusLine::close()
{
    if (std::exchange(open_, false))
    {
        io::say_error("\n");
    }
}
}  // namespace paws::data
