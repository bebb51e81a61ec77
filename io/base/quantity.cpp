#include "io/base/quantity.hpp"

#include <array>
#include <cstdio>
#include <iterator>

#include "io/ranks/process_limits.hpp"

namespace paws::io
{
std::string size_in_words(std::uint64_t bytes)
{
    constexpr const char* units[] = {"B", "kB", "MB", "GB", "TB"};
    auto number = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (; number >= 999.95 && unit + 1 < std::size(units); ++unit)
    {
        number /= 1000;
    }
    char text[32];
    std::snprintf(text, sizeof(text), unit == 0 ? "%.0f %s" : "%.1f %s", number, units[unit]);
    return text;
}

std::string gibibytes(std::uint64_t bytes)
{
    std::array<char, 32> text{};
    ranks::write_gibibytes(bytes, text);
    return text.data();
}

std::string plural(std::int64_t count, const std::string& noun, const char* ending)
{
    return std::to_string(count) + " " + noun + (count == 1 ? "" : ending);
}
}  // namespace paws::io
