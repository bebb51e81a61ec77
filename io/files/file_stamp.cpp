#include "io/files/file_stamp.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <system_error>

#include "io/base/error.hpp"
#include "io/files/input_path.hpp"

namespace paws::io
{
FileStamp stamp_of(const std::filesystem::path& file)
{
    struct stat status
    {
    };
    const bool is_there = ::stat(file.c_str(), &status) == 0;
    if (!is_there || !S_ISREG(status.st_mode))
    {
        // Says why.
        require_file(file);
        throw SystemError(file.string(), "stat failed: " + std::generic_category().message(errno));
    }
    return {static_cast<std::uint64_t>(status.st_size),
            std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec, status.st_ino};
}
}  // namespace paws::io
