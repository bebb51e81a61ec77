#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace paws::io
{
/// Writes an RGB picture, uint8 [height, width, 3], as PNG, atomically. Throws if the sizes do not match or are zero.
void write_png(const std::filesystem::path& path, std::span<const std::uint8_t> pixels, std::size_t height,
               std::size_t width);
}  // namespace paws::io
