#include "io/hdf5/stored_checksum.hpp"

#include "io/base/error.hpp"

namespace paws::io
{
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
