#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "io/h5.hpp"

namespace paws::io
{
/// CRC-32 as in zlib and gzip. `before`: that of the bytes that came before these.
std::uint32_t crc32(std::span<const std::byte> bytes, std::uint32_t before = 0);
/// That of the strings, each followed by a zero byte.
std::uint32_t crc32(const std::vector<std::string>& strings);

/// That of some bytes and those after them, of which there are `second_length`.
std::uint32_t join_crc32(std::uint32_t first, std::uint32_t second, std::uint64_t second_length);

/// The attribute of a data set or group that holds the CRC-32 of its contents.
inline const std::string checksum_attribute = "crc32";

void store_checksum(h5::Object& object, std::uint32_t checksum);

/// Throws if the stored checksum is another.
void require_checksum(const h5::Object& object, std::uint32_t checksum);

/// The same, but contents without a stored checksum pass: users make data sets with other programs.
void require_checksum_if_stored(const h5::Object& object, std::uint32_t checksum);
}  // namespace paws::io
