#include "io/dataset/image_checksum.hpp"

#include <span>
#include <string>

#include "io/dataset/dataset_file.hpp"
#include "io/files/checksum.hpp"
#include "io/hdf5/format.hpp"
#include "io/hdf5/stored_checksum.hpp"

namespace paws::io
{
std::optional<std::uint32_t> image_checksum(const std::filesystem::path& path, std::string_view split)
{
    const DatasetFile file(path);
    if (file.is_encoded(split))
    {
        const auto checksums = file.checksums(split);
        return checksums.empty() ? std::nullopt : std::optional(crc32(std::as_bytes(std::span(checksums))));
    }
    const h5::Dataset images = open_format(path, dataset_format).dataset(std::string(split) + "/images");
    return images.has_attribute(checksum_attribute)
               ? std::optional(static_cast<std::uint32_t>(images.attribute<std::int64_t>(checksum_attribute)))
               : std::nullopt;
}
}  // namespace paws::io
