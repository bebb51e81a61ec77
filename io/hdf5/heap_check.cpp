#include "io/hdf5/heap_check.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "io/base/error.hpp"
#include "io/files/descriptor.hpp"
#include "io/files/hdf5_signature.hpp"

namespace paws::io
{
namespace
{
constexpr std::uint64_t looked_through = std::uint64_t{256} << 20;
constexpr std::size_t buffer_bytes = std::size_t{4} << 20;

/// The first bytes of a piece of the heap: mark, version, three zeros; then its size.
constexpr std::string_view heap_mark("GCOL\1\0\0\0", 8);
constexpr std::uint64_t header_bytes = 16;
constexpr std::uint64_t alignment = 8;

class Reader
{
public:
    Reader(const std::filesystem::path& path, std::uint64_t size) : file_(path, O_RDONLY), size_(size) {}

    /// Of the file.
    std::uint64_t size() const { return size_; }

    /// Bytes from `place` on, as many as are at hand, but no fewer than an object's header unless the file ends; until
    /// the next call.
    std::string_view from(std::uint64_t place)
    {
        if (place < begin_ || place + header_bytes > begin_ + buffer_.size())
        {
            buffer_.resize(buffer_bytes);
            file_.seek(place);
            buffer_.resize(file_.read(std::as_writable_bytes(std::span(buffer_))));
            begin_ = place;
        }
        return std::string_view(buffer_.data(), buffer_.size()).substr(place - begin_);
    }

private:
    Descriptor file_;
    std::uint64_t size_;
    std::vector<char> buffer_;
    std::uint64_t begin_ = 0;
};

std::uint64_t number_at(std::string_view bytes, std::size_t place)
{
    std::uint64_t number = 0;
    std::memcpy(&number, bytes.data() + place, sizeof(number));
    return number;
}

/// Whether lengths in the file have 8 bytes, as in all but exotic ones.
bool has_wide_lengths(std::string_view superblock)
{
    if (superblock.size() < header_bytes || !superblock.starts_with(hdf5_signature))
    {
        return false;
    }
    return superblock[superblock[8] < 2 ? 14 : 10] == 8;
}

/// The size of the piece of the heap at `place`; nothing if the chain of its objects does not end where it does.
std::optional<std::uint64_t> size_of_sound(Reader& reader, std::uint64_t place)
{
    const std::string_view header = reader.from(place);
    if (header.size() < header_bytes)
    {
        return std::nullopt;
    }
    const std::uint64_t size = number_at(header, 8);
    if (size < header_bytes || size > reader.size() - place)
    {
        return std::nullopt;
    }
    // What is smaller than an object's header is free space.
    for (std::uint64_t left = size - header_bytes; left >= header_bytes;)
    {
        const std::string_view object = reader.from(place + size - left);
        const bool is_free_space = object.size() < header_bytes || (object[0] == 0 && object[1] == 0);
        std::uint64_t length = object.size() < header_bytes ? 0 : number_at(object, 8);
        if (length <= left && !is_free_space)
        {
            length = header_bytes + (length + alignment - 1) / alignment * alignment;
        }
        if (length == 0 || length > left)
        {
            return std::nullopt;
        }
        left -= length;
    }
    return size;
}
}  // namespace

void require_sound_heap(const std::filesystem::path& path)
{
    std::error_code error;
    const std::uint64_t size = std::filesystem::file_size(path, error);
    if (error || !std::filesystem::is_regular_file(path, error))
    {
        return;
    }
    Reader reader(path, size);
    if (!has_wide_lengths(reader.from(0)))
    {
        return;
    }
    const std::uint64_t end = std::min(size, looked_through);
    for (std::uint64_t place = 0; place + header_bytes <= end;)
    {
        const std::string_view bytes = reader.from(place);
        const std::size_t found = bytes.find(heap_mark);
        if (found == std::string_view::npos)
        {
            // A mark may lie across the end of what was read.
            place += std::max(bytes.size(), heap_mark.size()) - (heap_mark.size() - 1);
            continue;
        }
        place += found;
        const auto length = size_of_sound(reader, place);
        if (!length)
        {
            throw Error(path.string() +
                        ": is cut off or damaged; copy or make it again (HDF5's global heap, which holds "
                        "its strings, at byte " +
                        std::to_string(place) + ")");
        }
        place += *length;
    }
}
}  // namespace paws::io
