#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "io/error.hpp"

namespace paws::io
{
/// An RGB picture.
struct Picture
{
    std::size_t height = 0;
    std::size_t width = 0;
    std::vector<std::uint8_t> pixels;  ///< [height, width, 3]
};

/// A picture that cannot be decoded.
class PictureError : public Error
{
public:
    PictureError(const std::string& name, const std::string& reason);
    const std::string& reason() const noexcept { return reason_; }

private:
    std::string reason_;
};

/// Decodes the bytes of a JPEG or PNG file; which of them it is, its first bytes say. `name`: the file's, for messages.
/// The colours are those of Pillow's `convert("RGB")` (CMYK within 1): transparency is dropped, grey becomes RGB, the
/// orientation that EXIF may ask for is not applied, colour profiles are not used, 16 bits per channel become 8.
/// Throws PictureError for other formats, for files that are damaged or cut off, and for more pixels than Pillow takes
/// (179 million).
Picture decode_picture(std::span<const std::uint8_t> bytes, const std::string& name);
}  // namespace paws::io
