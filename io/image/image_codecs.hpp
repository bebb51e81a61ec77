#pragma once

// The inside of image.cpp: one decoder per format. Pixels go to the beginning of a vector that is made longer where
// it is too short, and never shorter: that would mean to fill it with zeros again.

#include "io/image/image.hpp"

namespace paws::io
{
/// `cmyk`: memory for images of CMYK, kept for the next one.
ImageDecoder::Decoded decode_jpeg(std::span<const std::uint8_t> bytes, const std::string& name,
                                  const ImageDecoder::ChooseReduction& choose, std::vector<std::uint8_t>& cmyk,
                                  std::vector<std::uint8_t>& pixels);

ImageDecoder::Decoded decode_png(std::span<const std::uint8_t> bytes, const std::string& name,
                                 std::vector<std::uint8_t>& pixels);

/// Throws ImageError: `name` is corrupt because of `reason`, which is one of the decoder's.
[[noreturn]] void refuse_image(const std::string& name, const std::string& reason);

/// Throws for sizes that no real image has, before memory is taken for it.
void require_sensible_size(std::size_t height, std::size_t width, const std::string& name);

/// Throws ImageError: the file is too small for the size that it claims.
[[noreturn]] void refuse_claim(std::size_t height, std::size_t width, const std::string& name);

/// The first `count` bytes of `pixels`.
std::span<std::uint8_t> room_for(std::size_t count, std::vector<std::uint8_t>& pixels);
}  // namespace paws::io
