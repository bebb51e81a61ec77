#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

namespace paws::io
{
/// CRC-32 that tells the images of a split of a `paws-dataset` file from others, without reading them: that of all
/// pixels, as the file says it, or of the checksums of its JPEG and PNG files. The same wherever the file lies and by
/// whichever version it was packed. None where the file has no checksums. Throws Error as DatasetFile does.
std::optional<std::uint32_t> image_checksum(const std::filesystem::path& path, std::string_view split);
}  // namespace paws::io
