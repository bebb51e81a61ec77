#pragma once

// The inside of picture.cpp: one decoder per format.

#include "io/picture.hpp"

namespace paws::io
{
Picture decode_jpeg(std::span<const std::uint8_t> bytes, const std::string& name);
Picture decode_png(std::span<const std::uint8_t> bytes, const std::string& name);

/// Throws PictureError: `name` is broken because of `reason`, which is one of the decoder's.
[[noreturn]] void refuse_picture(const std::string& name, const std::string& reason);

/// Throws for sizes that no real picture has, before memory is taken for it.
void require_sensible_size(std::size_t height, std::size_t width, const std::string& name);
}  // namespace paws::io
