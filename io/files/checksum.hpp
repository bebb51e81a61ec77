#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace paws::io
{
/// CRC-32 as in zlib and gzip. `before`: that of the bytes that came before these.
std::uint32_t crc32(std::span<const std::byte> bytes, std::uint32_t before = 0);
/// That of the strings, each followed by a zero byte.
std::uint32_t crc32(const std::vector<std::string>& strings);

/// That of some bytes and those after them, of which there are `second_length`.
std::uint32_t join_crc32(std::uint32_t first, std::uint32_t second, std::uint64_t second_length);
}  // namespace paws::io
