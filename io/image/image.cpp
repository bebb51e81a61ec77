#include "io/image/image.hpp"

#include <algorithm>
#include <array>

#include "io/image/image_codecs.hpp"

namespace paws::io
{
namespace
{
std::string pixels_of(std::size_t height, std::size_t width)
{
    return std::to_string(width) + "x" + std::to_string(height) + " pixels";
}
}  // namespace

ImageError::ImageError(const std::string& name, const std::string& reason)
    : Error(name + ": cannot be decoded (" + reason + "); replace the image or leave it out"), reason_(reason)
{
}

void refuse_image(const std::string& name, const std::string& reason)
{
    throw ImageError(name, reason);
}

void require_sensible_size(std::size_t height, std::size_t width, const std::string& name)
{
    // Where Pillow sees an attack: twice 1 GiB / 4 bytes / 3 channels.
    constexpr std::size_t most = std::size_t{2} * 89'478'485;
    if (height == 0 || width == 0 || height > most / width)
    {
        refuse_image(name, "it claims to have " + pixels_of(height, width));
    }
}

void refuse_claim(std::size_t height, std::size_t width, const std::string& name)
{
    refuse_image(name, "it claims to have " + pixels_of(height, width) + ", more than its bytes can hold");
}

std::span<std::uint8_t> room_for(std::size_t count, std::vector<std::uint8_t>& pixels)
{
    if (pixels.size() < count)
    {
        pixels.resize(count);
    }
    return {pixels.data(), count};
}

ImageDecoder::Decoded ImageDecoder::decode(std::span<const std::uint8_t> bytes, const std::string& name,
                                           const ChooseReduction& choose)
{
    constexpr std::array<std::uint8_t, 3> jpeg = {0xff, 0xd8, 0xff};
    constexpr std::array<std::uint8_t, 8> png = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    const auto begins_with = [&](const auto& mark)
    { return bytes.size() >= mark.size() && std::equal(mark.begin(), mark.end(), bytes.begin()); };
    if (begins_with(jpeg))
    {
        return decode_jpeg(bytes, name, choose, cmyk_, pixels_);
    }
    if (begins_with(png))
    {
        return decode_png(bytes, name, pixels_);
    }
    refuse_image(name, bytes.empty() ? "it is empty" : "it is neither JPEG nor PNG");
}

Image decode_image(std::span<const std::uint8_t> bytes, const std::string& name)
{
    ImageDecoder decoder;
    const auto decoded = decoder.decode(bytes, name);
    decoder.pixels_.resize(decoded.pixels.size());
    return {decoded.height, decoded.width, std::move(decoder.pixels_)};
}
}  // namespace paws::io
