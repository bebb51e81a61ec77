#include "io/base/say.hpp"

#include <stdio_ext.h>

#include <cerrno>
#include <cstdio>

namespace paws::io
{
namespace
{
bool quiet = false;

void print(std::FILE* stream, std::string_view text) noexcept
{
    const int before = errno;
    const bool is_written = std::fwrite(text.data(), 1, text.size(), stream) == text.size();
    if (!is_written || std::fflush(stream) != 0)
    {
        // Else each later line would try to print this one first, and fail with it.
        __fpurge(stream);
        std::clearerr(stream);
    }
    errno = before;
}
}  // namespace

void set_quiet(bool wanted) noexcept
{
    quiet = wanted;
}

bool is_quiet() noexcept
{
    return quiet;
}

void say(std::string_view text) noexcept
{
    print(stdout, text);
}

void say_error(std::string_view text) noexcept
{
    print(stderr, text);
}
}  // namespace paws::io
