#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "io/base/error.hpp"

namespace paws::io
{
/// An RGB image.
struct Image
{
    std::size_t height = 0;
    std::size_t width = 0;
    std::vector<std::uint8_t> pixels;  ///< [height, width, 3]
};

/// An image that cannot be decoded.
class ImageError : public Error
{
public:
    ImageError(const std::string& name, const std::string& reason);
    const std::string& reason() const noexcept { return reason_; }

private:
    std::string reason_;
};

/// Decodes the bytes of a JPEG or PNG file; which of them it is, its first bytes say. `name`: the file's, for messages.
/// The colours are those of Pillow's `convert("RGB")` (CMYK within 1): transparency is dropped, grey becomes RGB, the
/// orientation that EXIF may ask for is not applied, colour profiles are not used. 16 bits per channel are scaled to 8
/// (their upper half; Pillow clips 16-bit grey instead). Throws ImageError for other formats, for files that are
/// damaged or cut off, for more pixels than Pillow takes (179 million) and for more than the bytes can hold.
/// A JPEG is good when all its rows were decoded without an error and without running out of bytes, as for Pillow; a
/// PNG when the checksums of its pixels are right besides.
Image decode_image(std::span<const std::uint8_t> bytes, const std::string& name);

/// Does the same for many images one after the other, and keeps the memory that the largest so far took. One object a
/// thread.
class ImageDecoder
{
public:
    ImageDecoder() = default;
    ImageDecoder(const ImageDecoder&) = delete;
    ImageDecoder& operator=(const ImageDecoder&) = delete;

    /// How many times smaller (1, 2, 4 or 8) each side of an image of this size may be decoded.
    using ChooseReduction = std::function<int(std::size_t height, std::size_t width)>;

    struct Decoded
    {
        std::size_t height = 0;  ///< As the file says, whatever the reduction.
        std::size_t width = 0;
        int reduction = 1;
        /// [⌈height / reduction⌉, ⌈width / reduction⌉, 3]; until the next call.
        std::span<const std::uint8_t> pixels;
    };

    /// `choose` is asked for JPEGs, when their header has been read; without it, and for PNGs, nothing is reduced. Nor
    /// are JPEGs whose colours are sampled more coarsely one way than the other (4:2:2): they would lose half of what
    /// is left of them. A reduced JPEG comes from the lower frequencies of its blocks alone, which takes a fraction of
    /// the time; a pixel is about the mean of those it stands for. Throws as decode_image, and std::invalid_argument
    /// for a reduction that is not one of the four.
    Decoded decode(std::span<const std::uint8_t> bytes, const std::string& name,
                   const ChooseReduction& choose = nullptr);

private:
    friend Image decode_image(std::span<const std::uint8_t> bytes, const std::string& name);

    std::vector<std::uint8_t> pixels_;
    std::vector<std::uint8_t> cmyk_;
};
}  // namespace paws::io
