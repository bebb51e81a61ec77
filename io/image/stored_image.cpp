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
/// Of a file; the largest that a picture of the most pixels that decode_picture takes could sensibly need.
constexpr std::int64_t most_bytes = std::int64_t{1} << 30;
}  // namespace

std::vector<std::uint8_t> read_picture_file(const std::filesystem::path& path, const std::string& name)
{
    try
    {
        const auto refuse = [&] { throw PictureError(name, "it is no regular file"); };
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
            throw PictureError(name, "it has more than 1 GiB");
        }
        std::vector<std::uint8_t> bytes(static_cast<std::size_t>(status.st_size));
        bytes.resize(file.read(std::as_writable_bytes(std::span(bytes))));
        return bytes;
    }
    catch (const SystemError& error)
    {
        throw PictureError(name, error.reason());
    }
}

StoredPicture load_for_storage(const std::filesystem::path& file, const std::string& name,
                               std::optional<std::size_t> shorter_side)
{
    StoredPicture stored;
    stored.bytes = read_picture_file(file, name);
    Picture picture = decode_picture(stored.bytes, name);
    if (shorter_side && std::min(picture.height, picture.width) > *shorter_side)
    {
        const auto [height, width] = size_with_shorter_side(picture.height, picture.width, *shorter_side);
        picture = reduce_picture(picture, height, width);
        stored.bytes = encode_jpeg(picture, jpeg_quality, name);
        stored.is_reduced = true;
    }
    stored.height = static_cast<std::uint32_t>(picture.height);
    stored.width = static_cast<std::uint32_t>(picture.width);
    stored.checksum = crc32(std::as_bytes(std::span(stored.bytes)));
    return stored;
}
}  // namespace paws::io
