#pragma once

// The inside of picture.cpp: one decoder per format. Pixels go to the beginning of a vector that is made longer where
// it is too short, and never shorter: that would mean to fill it with zeros again.

#include "io/picture.hpp"

namespace paws::io
{
/// libjpeg-turbo's decompressor, which is costly to make, and memory for CMYK.
class JpegDecoder
{
public:
    JpegDecoder();
    ~JpegDecoder();
    JpegDecoder(const JpegDecoder&) = delete;
    JpegDecoder& operator=(const JpegDecoder&) = delete;

    PictureDecoder::Decoded decode(std::span<const std::uint8_t> bytes, const std::string& name,
                                   const PictureDecoder::ChooseReduction& choose, std::vector<std::uint8_t>& pixels);

private:
    void* handle_;
    std::vector<std::uint8_t> cmyk_;
};

struct PictureDecoder::Jpeg : JpegDecoder
{
};

PictureDecoder::Decoded decode_png(std::span<const std::uint8_t> bytes, const std::string& name,
                                   std::vector<std::uint8_t>& pixels);

/// Throws PictureError: `name` is broken because of `reason`, which is one of the decoder's.
[[noreturn]] void refuse_picture(const std::string& name, const std::string& reason);

/// Throws for sizes that no real picture has, before memory is taken for it.
void require_sensible_size(std::size_t height, std::size_t width, const std::string& name);

/// The first `count` bytes of `pixels`.
std::span<std::uint8_t> room_for(std::size_t count, std::vector<std::uint8_t>& pixels);
}  // namespace paws::io
