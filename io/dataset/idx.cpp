#include "io/dataset/idx.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>
#include <span>
#include <string>

#include "io/base/error.hpp"
#include "io/base/inflated_size.hpp"
#include "io/files/input_path.hpp"

namespace paws::io
{
namespace
{
/// A file that zlib reads, decompressing it if it is compressed.
class GzipReader
{
public:
    explicit GzipReader(const std::filesystem::path& path) : path_(path), file_(open(path))
    {
        if (!file_)
        {
            throw Error(path.string() + ": cannot be opened; check the memory that is left");
        }
    }
    ~GzipReader() { gzclose(file_); }
    GzipReader(const GzipReader&) = delete;
    GzipReader& operator=(const GzipReader&) = delete;

    /// As many bytes as there are, at most those of `out`.
    std::size_t read(std::span<std::uint8_t> out)
    {
        std::size_t total = 0;
        while (total < out.size())
        {
            const auto piece = static_cast<unsigned>(std::min<std::size_t>(out.size() - total, 1U << 30));
            const int got = gzread(file_, out.data() + total, piece);
            int status = Z_OK;
            const char* reason = gzerror(file_, &status);
            if (got < 0 || (status != Z_OK && status != Z_STREAM_END))
            {
                throw Error(path_.string() + ": cannot be decompressed (" + reason + "); download it again");
            }
            if (got == 0)
            {
                break;
            }
            total += static_cast<std::size_t>(got);
        }
        return total;
    }

    /// Whether the file is read as it is; known from the first bytes on.
    bool is_plain() const { return gzdirect(file_) != 0; }

private:
    static gzFile open(const std::filesystem::path& path)
    {
        require_file(path);
        return gzopen(path.c_str(), "rbe");
    }

    std::filesystem::path path_;
    gzFile file_;
};

[[noreturn]] void refuse_idx(const std::filesystem::path& path, const std::string& what)
{
    throw Error(path.string() + ": " + what + "; download it again");
}

[[noreturn]] void refuse_short(const std::filesystem::path& path, std::size_t held, std::size_t count)
{
    refuse_idx(path, "is cut off: it holds " + std::to_string(held) + " bytes of the " + std::to_string(count) +
                         " that its header says");
}

std::vector<std::size_t> read_shape(GzipReader& reader, const std::filesystem::path& path)
{
    // Two zeros, the type of the elements, the number of dimensions; then the lengths, big-endian.
    constexpr std::uint8_t unsigned_bytes = 0x08;
    std::array<std::uint8_t, 4> magic{};
    if (reader.read(magic) != magic.size() || magic[0] != 0 || magic[1] != 0)
    {
        refuse_idx(path, "is not an IDX file");
    }
    if (magic[2] != unsigned_bytes || magic[3] < 1 || magic[3] > 4)
    {
        refuse_idx(path, "holds elements of type " + std::to_string(magic[2]) + " in " + std::to_string(magic[3]) +
                             " dimensions where unsigned bytes in 1 to 4 were expected");
    }
    std::vector<std::size_t> shape;
    for (int i = 0; i < magic[3]; ++i)
    {
        std::array<std::uint8_t, 4> length{};
        if (reader.read(length) != length.size())
        {
            refuse_idx(path, "is cut off in its header");
        }
        shape.push_back(std::size_t{length[0]} << 24 | std::size_t{length[1]} << 16 | std::size_t{length[2]} << 8 |
                        length[3]);
    }
    return shape;
}

/// The number of elements; throws for one that no file has.
std::size_t checked_count(const std::vector<std::size_t>& shape, const std::filesystem::path& path)
{
    std::size_t count = 1;
    for (const std::size_t length : shape)
    {
        if (length != 0 && count > std::numeric_limits<std::ptrdiff_t>::max() / length)
        {
            refuse_idx(path, "has an impossible size in its header");
        }
        count *= length;
    }
    return count;
}
}  // namespace

IdxArray read_idx(const std::filesystem::path& path)
{
    GzipReader reader(path);
    IdxArray array;
    array.shape = read_shape(reader, path);
    const std::size_t count = checked_count(array.shape, path);
    const std::uint64_t file_size = std::filesystem::file_size(path);
    const std::size_t header = 4 + 4 * array.shape.size();
    if (reader.is_plain() && file_size - header < count)
    {
        refuse_short(path, file_size - header, count);
    }
    if (!reader.is_plain() && !can_inflate(file_size, count))
    {
        refuse_idx(path, "says to hold " + std::to_string(count) + " bytes, which its " + std::to_string(file_size) +
                             " compressed ones cannot make");
    }
    // Memory grows with what the file really holds all the same.
    constexpr std::size_t piece = std::size_t{1} << 24;
    while (array.values.size() < count)
    {
        const std::size_t before = array.values.size();
        const std::size_t wanted = std::min(piece, count - before);
        array.values.resize(before + wanted);
        const std::size_t got = reader.read(std::span(array.values).subspan(before));
        if (got < wanted)
        {
            refuse_short(path, before + got, count);
        }
    }
    // Reading past the end also lets zlib verify its checksum.
    std::array<std::uint8_t, 1> beyond{};
    if (reader.read(beyond) != 0)
    {
        refuse_idx(path, "holds more bytes than the " + std::to_string(count) + " that its header says");
    }
    return array;
}
}  // namespace paws::io
