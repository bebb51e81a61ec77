#include "io/png.hpp"

#include <png.h>

#include <limits>
#include <string>

#include "io/atomic_file.hpp"
#include "io/error.hpp"

namespace paws::io
{
void write_png(const std::filesystem::path& path, std::span<const std::uint8_t> pixels, std::size_t height,
               std::size_t width)
{
    constexpr std::size_t most = std::numeric_limits<std::int16_t>::max();
    if (height == 0 || width == 0 || height > most || width > most || pixels.size() != height * width * 3)
    {
        throw Error(path.string() + ": cannot make a picture of " + std::to_string(height) + "x" +
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
    write_atomically(path, {bytes});
}
}  // namespace paws::io
