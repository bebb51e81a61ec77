#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "io/image/image.hpp"

namespace paws::io
{
/// Height and width of an image whose shorter side is to have `side` pixels: the longer one is cut to whole pixels, as
/// torchvision's Resize does.
std::pair<std::size_t, std::size_t> size_with_shorter_side(std::size_t height, std::size_t width, std::size_t side);

/// A smaller version of an image. Each pixel is a weighted mean of those below it, Lanczos' windowed sinc of three
/// lobes stretched to the scale, so that fine patterns do not alias; columns after rows, with the rounding of Pillow's
/// `resize(..., LANCZOS)` for 8 bits, which gives the same pixels.
/// Throws std::invalid_argument unless 0 < height <= image.height, and the same for widths.
Image reduce_image(const Image& image, std::size_t height, std::size_t width);

/// The bytes of a JPEG file; chroma at half the resolution (4:2:0). Throws ImageError if it is too large for JPEG.
std::vector<std::uint8_t> encode_jpeg(const Image& image, int quality, const std::string& name);
}  // namespace paws::io
