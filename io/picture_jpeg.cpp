#include <turbojpeg.h>

#include <memory>

#include "io/picture_codecs.hpp"
#include "io/reduce_picture.hpp"

namespace paws::io
{
namespace
{
struct Destroy
{
    void operator()(void* handle) const { tjDestroy(handle); }
};
using Handle = std::unique_ptr<void, Destroy>;

/// Whether the marker that ends a JPEG file comes after the one that begins its scan. Within a scan 0xff is always
/// followed by 0 where it is data, so the marker cannot be taken for something else.
bool has_end(std::span<const std::uint8_t> bytes)
{
    constexpr std::uint8_t start_of_scan = 0xda;
    constexpr std::uint8_t end_of_image = 0xd9;
    std::size_t place = 2;
    while (place + 4 <= bytes.size() && bytes[place] == 0xff && bytes[place + 1] != start_of_scan)
    {
        place += 2 + (std::size_t{bytes[place + 2]} << 8 | bytes[place + 3]);
    }
    for (; place + 2 <= bytes.size(); ++place)
    {
        if (bytes[place] == 0xff && bytes[place + 1] == end_of_image)
        {
            return true;
        }
    }
    return false;
}

/// a b / 255, rounded.
unsigned scaled(unsigned a, unsigned b)
{
    const unsigned product = a * b + 128;
    return ((product >> 8) + product) >> 8;
}

/// CMYK as Adobe's programs store it in JPEG, where 255 is no ink, to RGB.
std::vector<std::uint8_t> rgb_of_inverted_cmyk(const std::vector<std::uint8_t>& cmyk)
{
    std::vector<std::uint8_t> rgb;
    rgb.reserve(cmyk.size() / 4 * 3);
    for (std::size_t i = 0; i < cmyk.size(); i += 4)
    {
        const unsigned light = cmyk[i + 3];
        for (std::size_t channel = 0; channel < 3; ++channel)
        {
            rgb.push_back(static_cast<std::uint8_t>(light - scaled(255U - cmyk[i + channel], light)));
        }
    }
    return rgb;
}
}  // namespace

Picture decode_jpeg(std::span<const std::uint8_t> bytes, const std::string& name)
{
    const Handle decompressor(tjInitDecompress());
    if (!decompressor)
    {
        refuse_picture(name, tjGetErrorStr2(nullptr));
    }
    tjhandle handle = decompressor.get();
    int width = 0;
    int height = 0;
    int subsampling = -1;
    int colours = -1;
    // The header is also refused for subsamplings without a name, as Pillow's CMYK files have; they are decoded all the
    // same, and what else the header says is known then.
    if (tjDecompressHeader3(handle, bytes.data(), bytes.size(), &width, &height, &subsampling, &colours) != 0 &&
        (width < 1 || height < 1 || colours < 0))
    {
        refuse_picture(name, tjGetErrorStr2(handle));
    }
    Picture picture{static_cast<std::size_t>(height), static_cast<std::size_t>(width), {}};
    require_sensible_size(picture.height, picture.width, name);
    const bool cmyk = colours == TJCS_CMYK || colours == TJCS_YCCK;
    picture.pixels.resize(picture.height * picture.width * (cmyk ? 4 : 3));
    const int format = cmyk ? TJPF_CMYK : TJPF_RGB;
    const int row_bytes = 0;  // rows without gaps
    if (tjDecompress2(handle, bytes.data(), bytes.size(), picture.pixels.data(), width, row_bytes, height, format,
                      TJFLAG_ACCURATEDCT) != 0 &&
        (tjGetErrorCode(handle) == TJERR_FATAL || !has_end(bytes)))
    {
        // Pillow takes pictures that the decoder warns about (real data sets have some), unless they are cut off.
        refuse_picture(name, tjGetErrorStr2(handle));
    }
    if (cmyk)
    {
        picture.pixels = rgb_of_inverted_cmyk(picture.pixels);
    }
    return picture;
}

std::vector<std::uint8_t> encode_jpeg(const Picture& picture, int quality, const std::string& name)
{
    constexpr std::size_t most = 65535;  // of JPEG
    if (picture.height > most || picture.width > most)
    {
        refuse_picture(name, "it has more than 65535 pixels a side, which JPEG cannot have");
    }
    const Handle compressor(tjInitCompress());
    const auto width = static_cast<int>(picture.width);
    const auto height = static_cast<int>(picture.height);
    std::vector<std::uint8_t> bytes(tjBufSize(width, height, TJSAMP_420));
    unsigned char* out = bytes.data();
    unsigned long size = bytes.size();
    const int row_bytes = 0;  // rows without gaps
    if (!compressor || tjCompress2(compressor.get(), picture.pixels.data(), width, row_bytes, height, TJPF_RGB, &out,
                                   &size, TJSAMP_420, quality, TJFLAG_ACCURATEDCT | TJFLAG_NOREALLOC) != 0)
    {
        refuse_picture(name, tjGetErrorStr2(compressor.get()));
    }
    bytes.resize(size);
    return bytes;
}
}  // namespace paws::io
