#include "io/file_stamp.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <system_error>

#include "io/error.hpp"
#include "io/read_file.hpp"

namespace paws::io
{
FileStamp stamp_of(const std::filesystem::path& file)
{
    require_file(file);
    struct stat status
    {
    };
    if (::stat(file.c_str(), &status) != 0)
    {
        throw SystemError(file.string(), "stat failed: " + std::generic_category().message(errno));
    }
    return {static_cast<std::uint64_t>(status.st_size),
            std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec, status.st_ino};
}
}  // namespace paws::io
