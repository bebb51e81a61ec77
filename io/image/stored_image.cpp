#include "io/image/stored_image.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "io/base/error.hpp"
#include "io/files/checksum.hpp"
#include "io/files/descriptor.hpp"
#include "io/image/image.hpp"
#include "io/image/reduce_image.hpp"

namespace paws::io
{
namespace
{
constexpr int jpeg_quality = 95;
/// Of a file; the largest that an image of the most pixels that decode_image takes could sensibly need.
constexpr std::int64_t most_bytes = std::int64_t{1} << 30;
}  // namespace

std::vector<std::uint8_t> read_image_file(const std::filesystem::path& path, const std::string& name)
{
    try
    {
        const auto refuse = [&] { throw ImageError(name, "it is not a regular file"); };
        struct stat status
        {
        };
        // Opening alone starts what some devices do, and wakes who waits for a reader of a pipe.
        if (::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode))
        {
            refuse();
        }
        // Without waiting, in case it has become a pipe meanwhile.
        Descriptor file(path, O_RDONLY | O_NONBLOCK);
        if (::fstat(file.number(), &status) != 0 || !S_ISREG(status.st_mode))
        {
            refuse();
        }
        if (status.st_size > most_bytes)
        {
            throw ImageError(name, "it has more than 1 GiB");
        }
        std::vector<std::uint8_t> bytes(static_cast<std::size_t>(status.st_size));
        bytes.resize(file.read(std::as_writable_bytes(std::span(bytes))));
        return bytes;
    }
    catch (const SystemError& error)
    {
        throw ImageError(name, error.reason());
    }
}

StoredImage load_for_storage(const std::filesystem::path& file, const std::string& name,
                             std::optional<std::size_t> shorter_side)
{
    StoredImage stored;
    stored.bytes = read_image_file(file, name);
    Image image = decode_image(stored.bytes, name);
    if (shorter_side && std::min(image.height, image.width) > *shorter_side)
    {
        const auto [height, width] = size_with_shorter_side(image.height, image.width, *shorter_side);
        image = reduce_image(image, height, width);
        stored.bytes = encode_jpeg(image, jpeg_quality, name);
        stored.is_reduced = true;
    }
    stored.height = static_cast<std::uint32_t>(image.height);
    stored.width = static_cast<std::uint32_t>(image.width);
    stored.checksum = crc32(std::as_bytes(std::span(stored.bytes)));
    return stored;
}
}  // namespace paws::io
