#include "io/image/png.hpp"

#include <png.h>

#include <limits>
#include <string>

#include "io/base/error.hpp"
#include "io/files/atomic_file.hpp"
#include "io/files/checksum.hpp"
#include "io/hdf5/format.hpp"

namespace paws::io
{
namespace
{
constexpr std::string_view signature = "\x89PNG\r\n\x1a\n";
/// Of the header, which comes first: length, type, 13 bytes, checksum.
constexpr std::size_t header_bytes = 4 + 4 + 13 + 4;
/// Type and key of the text that says which program made an image, and the beginning of what ours says.
constexpr std::string_view own_mark{"tEXtSoftware\0paws_hpc ", 22};

std::string big_endian(std::uint32_t number)
{
    std::string bytes;
    for (const int shift : {24, 16, 8, 0})
    {
        bytes += static_cast<char>(number >> shift & 0xff);
    }
    return bytes;
}

/// The chunk of a PNG that names this program.
std::string own_chunk()
{
    constexpr std::string_view type_and_key{"tEXtSoftware\0", 13};
    const std::string body = std::string(type_and_key) + created_by();
    constexpr std::size_t type_bytes = 4;
    return big_endian(static_cast<std::uint32_t>(body.size() - type_bytes)) + body +
           big_endian(crc32(std::as_bytes(std::span(body))));
}
}  // namespace

bool is_own_png(std::string_view beginning)
{
    constexpr std::size_t length_bytes = 4;
    const std::size_t place = signature.size() + header_bytes + length_bytes;
    return beginning.starts_with(signature) && beginning.size() >= place &&
           beginning.substr(place).starts_with(own_mark);
}

void write_png(const std::filesystem::path& path, std::span<const std::uint8_t> pixels, std::size_t height,
               std::size_t width)
{
    constexpr std::size_t most = std::numeric_limits<std::int16_t>::max();
    if (height == 0 || width == 0 || height > most || width > most || pixels.size() != height * width * 3)
    {
        throw Error(path.string() + ": cannot make an image of " + std::to_string(height) + "x" +
                    std::to_string(width) + " pixels from " + std::to_string(pixels.size()) +
                    " bytes; give three for each pixel");
    }
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    image.width = static_cast<png_uint_32>(width);
    image.height = static_cast<png_uint_32>(height);
    image.format = PNG_FORMAT_RGB;
    std::string bytes(PNG_IMAGE_PNG_SIZE_MAX(image), '\0');
    png_alloc_size_t size = bytes.size();
    const int row_stride = 0;  // rows without gaps
    if (png_image_write_to_memory(&image, bytes.data(), &size, 0, pixels.data(), row_stride, nullptr) == 0)
    {
        throw Error(path.string() + ": png_image_write_to_memory failed: " + image.message);
    }
    bytes.resize(size);
    bytes.insert(signature.size() + header_bytes, own_chunk());
    write_atomically(path, {bytes});
}
}  // namespace paws::io
