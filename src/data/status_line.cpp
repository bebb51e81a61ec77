#include "src/data/status_line.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>

#include "io/local_copy.hpp"
#include "io/printable.hpp"

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

StatusLine::StatusLine(std::string what, bool speaks)
    : what_(io::printable(what)), speaks_(speaks), terminal_(isatty(STDERR_FILENO) != 0)
{
}

StatusLine::~StatusLine()
{
    if (open_)
    {
        std::fputc('\n', stderr);
    }
}

bool StatusLine::is_due() const
{
    return speaks_ && Clock::now() - last_ >= (terminal_ ? redraw_every : log_every);
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
    if (terminal_)
    {
        fmt::print(stderr, "\r{}: {}\x1b[K", what_, text);
        open_ = true;
    }
    else
    {
        fmt::print(stderr, "{}: {}\n", what_, text);
    }
    std::fflush(stderr);
}
}  // namespace paws::data
