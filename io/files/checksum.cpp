#include "io/files/checksum.hpp"

#include <zlib.h>

#include <bit>

#include "io/base/error.hpp"

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

void store_checksum(h5::Object& object, std::uint32_t checksum)
{
    object.set_attribute<std::int64_t>(checksum_attribute, checksum);
}

void write_with_checksum(h5::Group& group, const std::string& name, const std::vector<std::string>& values)
{
    h5::Dataset dataset = group.write_strings(name, values);
    store_checksum(dataset, crc32(values));
}

void require_checksum(const h5::Object& object, std::uint32_t checksum)
{
    if (object.attribute<std::int64_t>(checksum_attribute) != checksum)
    {
        throw Error(object.where() +
                    ": its contents do not match their checksum; the file is damaged, use another copy");
    }
}

void require_checksum_if_stored(const h5::Object& object, std::uint32_t checksum)
{
    if (object.has_attribute(checksum_attribute))
    {
        require_checksum(object, checksum);
    }
}
}  // namespace paws::io
