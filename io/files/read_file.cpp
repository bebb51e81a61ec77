#include "io/files/read_file.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <span>

#include "io/base/error.hpp"

namespace paws::io
{
namespace
{
/// Memory grows with what is really there: some files do not say how long they are, and some lie.
std::string read_all(Descriptor file, const std::filesystem::path& path)
{
    constexpr std::size_t piece = std::size_t{1} << 20;
    constexpr std::size_t most_at_once = std::size_t{64} << 20;
    struct stat status
    {
    };
    const bool has_size = ::fstat(file.number(), &status) == 0 && status.st_size > 0;
    // A byte more than it has, to see that it ends there.
    std::size_t room = has_size ? static_cast<std::size_t>(status.st_size) + 1 : piece;
    std::string bytes;
    try
    {
        for (std::size_t filled = 0;; room = std::max(piece, filled / 2))
        {
            bytes.resize(filled + std::min(room, most_at_once));
            const auto rest = std::as_writable_bytes(std::span(bytes)).subspan(filled);
            const std::size_t got = file.read(rest);
            filled += got;
            if (got < rest.size())
            {
                bytes.resize(filled);
                return bytes;
            }
        }
    }
    catch (const SystemError& error)
    {
        throw Error(path.string() + ": cannot be read (" + error.reason() + "); check its file system");
    }
}
}  // namespace

std::string read_file(const std::filesystem::path& path)
{
    return read_all(open_file(path), path);
}

std::string read_file_or_pipe(const std::filesystem::path& path)
{
    return read_all(open_file_or_pipe(path), path);
}
}  // namespace paws::io
