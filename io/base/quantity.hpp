#pragma once

// Amounts in words.

#include <concepts>
#include <cstdint>
#include <string>

namespace paws::io
{
/// "12.3 GB": a file's size, or what a disk has free.
std::string size_in_words(std::uint64_t bytes);

/// "1.30 GiB": of memory.
std::string gibibytes(std::uint64_t bytes);

/// "1 image", "2 images", "3 classes".
std::string plural(std::int64_t count, const std::string& noun, const char* ending = "s");
template <std::unsigned_integral Count>
std::string plural(Count count, const std::string& noun, const char* ending = "s")
{
    return plural(static_cast<std::int64_t>(count), noun, ending);
}
}  // namespace paws::io
