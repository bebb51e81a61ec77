#include "io/files/hard_link.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "io/base/error.hpp"
#include "io/files/file_name.hpp"
#include "io/files/landing_place.hpp"

namespace paws::io
{
bool hard_link(const std::filesystem::path& existing, const std::filesystem::path& name)
{
    const std::filesystem::path temporary =
        folder_of(name) / name_beside(name.filename().string(), ".link-" + std::to_string(::getpid()));
    ::unlink(temporary.c_str());
    if (::link(existing.c_str(), temporary.c_str()) != 0)
    {
        if (errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS || errno == EMLINK || errno == EXDEV)
        {
            return false;
        }
        throw SystemError(name.string(),
                          "link to " + existing.string() + " failed: " + std::generic_category().message(errno));
    }
    const int renamed = std::rename(temporary.c_str(), name.c_str());
    const int reason = errno;
    // When both are names of one file already, rename leaves the temporary one.
    ::unlink(temporary.c_str());
    if (renamed != 0)
    {
        throw SystemError(name.string(), "rename failed: " + std::generic_category().message(reason));
    }
    return true;
}
}  // namespace paws::io
