#include "io/base/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace paws::io
{
int redrawable_columns(int descriptor)
{
    const char* const kind = std::getenv("TERM");
    if (kind == nullptr || std::string_view(kind).empty() || std::string_view(kind) == "dumb" ||
        isatty(descriptor) == 0)
    {
        return 0;
    }
    winsize size{};
    return ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

std::size_t columns_of(std::string_view text)
{
    const auto is_first_byte = [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; };
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), is_first_byte));
}
}  // namespace paws::io
