#include "io/files/checksum.hpp"

#include <zlib.h>

#include <bit>

namespace paws::io
{
// Numbers are summed as they are in memory, and files of HDF5 move between machines.
static_assert(std::endian::native == std::endian::little, "swap the bytes of numbers before summing them");

std::uint32_t crc32(std::span<const std::byte> bytes, std::uint32_t before)
{
    return static_cast<std::uint32_t>(::crc32_z(before, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

std::uint32_t crc32(const std::vector<std::string>& strings)
{
    uLong sum = 0;
    for (const std::string& text : strings)
    {
        sum = ::crc32_z(sum, reinterpret_cast<const Bytef*>(text.c_str()), text.size() + 1);
    }
    return static_cast<std::uint32_t>(sum);
}

std::uint32_t join_crc32(std::uint32_t first, std::uint32_t second, std::uint64_t second_length)
{
    return static_cast<std::uint32_t>(::crc32_combine(first, second, static_cast<z_off_t>(second_length)));
}
}  // namespace paws::io
