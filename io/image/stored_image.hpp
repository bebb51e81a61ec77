#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace paws::io
{
/// An image as it goes into a packed file.
struct StoredImage
{
    std::vector<std::uint8_t> bytes;  ///< of a JPEG or PNG file
    std::uint32_t height = 0;
    std::uint32_t width = 0;
    std::uint32_t checksum = 0;  ///< CRC-32 of the bytes
    bool is_reduced = false;     ///< or else the bytes are those of the file
};

/// The bytes of a file. Throws ImageError with `name` if it cannot be read.
std::vector<std::uint8_t> read_image_file(const std::filesystem::path& file, const std::string& name);

/// Reads and decodes an image. Keeps its bytes; but if its shorter side has more than `shorter_side` pixels, makes it
/// that small and encodes it anew.
/// Throws ImageError with `name` if it cannot be read or decoded.
StoredImage load_for_storage(const std::filesystem::path& file, const std::string& name,
                             std::optional<std::size_t> shorter_side);
}  // namespace paws::io
