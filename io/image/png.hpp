#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

namespace paws::io
{
/// Writes an RGB image, uint8 [height, width, 3], as PNG, atomically. It says that this program made it (the text
/// `Software`). Throws if the sizes do not match or are zero.
void write_png(const std::filesystem::path& path, std::span<const std::uint8_t> pixels, std::size_t height,
               std::size_t width);

/// Whether a PNG that begins with these bytes, own_png_beginning or more of them, was made by write_png.
bool is_own_png(std::string_view beginning);
inline constexpr std::size_t own_png_beginning = 64;
}  // namespace paws::io
