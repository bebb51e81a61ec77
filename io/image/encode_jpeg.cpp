#include <turbojpeg.h>

#include <memory>

#include "io/image/image_codecs.hpp"
#include "io/image/reduce_image.hpp"

namespace paws::io
{
std::vector<std::uint8_t> encode_jpeg(const Image& image, int quality, const std::string& name)
{
    constexpr std::size_t most = 65535;  // of JPEG
    if (image.height > most || image.width > most)
    {
        refuse_image(name, "it has more than 65535 pixels a side, which JPEG cannot have");
    }
    const std::unique_ptr<void, int (*)(void*)> compressor(tjInitCompress(), tjDestroy);
    const auto width = static_cast<int>(image.width);
    const auto height = static_cast<int>(image.height);
    std::vector<std::uint8_t> bytes(tjBufSize(width, height, TJSAMP_420));
    unsigned char* out = bytes.data();
    unsigned long size = bytes.size();
    const int row_bytes = 0;  // rows without gaps
    if (!compressor || tjCompress2(compressor.get(), image.pixels.data(), width, row_bytes, height, TJPF_RGB, &out,
                                   &size, TJSAMP_420, quality, TJFLAG_ACCURATEDCT | TJFLAG_NOREALLOC) != 0)
    {
        refuse_image(name, tjGetErrorStr2(compressor.get()));
    }
    bytes.resize(size);
    return bytes;
}
}  // namespace paws::io
