#include "io/files/input_path.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <cerrno>
#include <optional>
#include <system_error>

#include "io/base/error.hpp"

#ifndef PIPEFS_MAGIC
#define PIPEFS_MAGIC 0x50495045
#endif

namespace paws::io
{
namespace
{
namespace fs = std::filesystem;

struct Status : stat
{
};

[[noreturn]] void refuse(const fs::path& path, const std::string& what)
{
    throw Error(path.string() + ": " + what);
}

[[noreturn]] void refuse_unreachable(const fs::path& path, int error)
{
    switch (error)
    {
        case EACCES:
            refuse(path, "cannot be reached; check the permissions of the folders that it is in");
        case ELOOP:
            refuse(path, "cannot be reached, its symbolic links lead in a circle; correct them");
        case ENAMETOOLONG:
            refuse(path, "the name is too long for a file; check the path");
        default:
            refuse(path, "cannot be reached (" + std::generic_category().message(error) +
                             "); check the path and its file system");
    }
}

/// Of what the path leads to; none if nothing is there. Throws Error where that cannot be found out.
std::optional<Status> status_of(const fs::path& path)
{
    Status status;
    if (::stat(path.c_str(), &status) == 0)
    {
        return status;
    }
    if (errno == ENOENT || errno == ENOTDIR)
    {
        return std::nullopt;
    }
    refuse_unreachable(path, errno);
}

[[noreturn]] void refuse_missing(const fs::path& path, const std::string& kind, const std::string& remedy)
{
    std::error_code error;
    if (const fs::path target = fs::read_symlink(path, error); !error)
    {
        refuse(path, "is a symbolic link to '" + target.string() + "', which is not there; correct the link");
    }
    refuse(path, "there is no such " + kind + "; " + remedy);
}

std::string in_words(mode_t mode)
{
    return S_ISDIR(mode)    ? "a folder"
           : S_ISREG(mode)  ? "a file"
           : S_ISFIFO(mode) ? "a FIFO"
           : S_ISSOCK(mode) ? "a socket"
                            : "a device";
}

[[noreturn]] void refuse_kind(const fs::path& path, mode_t mode)
{
    refuse(path, "is " + in_words(mode) + (S_ISDIR(mode) ? "; name the file itself" : ", not a file; name a file"));
}

/// Without waiting for whoever is to write into a FIFO.
Descriptor open_now(const fs::path& path)
{
    try
    {
        return Descriptor(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    }
    catch (const SystemError& error)
    {
        refuse(path, "cannot be read (" + error.reason() + "); check its permissions");
    }
}

/// Looked at before it is opened, as opening a device may do something, and after, as it may have been replaced.
template <class Allowed>
Descriptor open_if(const fs::path& path, Allowed allowed)
{
    const auto found = status_of(path);
    if (!found)
    {
        refuse_missing(path, "file", "check the path");
    }
    if (!S_ISREG(found->st_mode) && !S_ISFIFO(found->st_mode))
    {
        refuse_kind(path, found->st_mode);
    }
    Descriptor file = open_now(path);
    Status opened;
    if (::fstat(file.number(), &opened) != 0)
    {
        refuse_unreachable(path, errno);
    }
    if (!S_ISREG(opened.st_mode) && !allowed(file, opened))
    {
        refuse_kind(path, opened.st_mode);
    }
    return file;
}

/// Whether it is a pipe that has no name in any folder: its writer is there.
bool is_pipe_of_shell(const Descriptor& file, const Status& status)
{
    struct statfs system
    {
    };
    return S_ISFIFO(status.st_mode) && ::fstatfs(file.number(), &system) == 0 && system.f_type == PIPEFS_MAGIC;
}
}  // namespace

bool is_there(const fs::path& path)
{
    return status_of(path).has_value();
}

bool is_folder(const fs::path& path)
{
    const auto status = status_of(path);
    return status && S_ISDIR(status->st_mode);
}

void require_file(const fs::path& path)
{
    open_file(path);
}

void require_folder(const fs::path& path, const std::string& remedy)
{
    const auto status = status_of(path);
    if (!status)
    {
        refuse_missing(path, "folder", remedy);
    }
    if (!S_ISDIR(status->st_mode))
    {
        refuse(path, "is " + in_words(status->st_mode) + ", not a folder; " + remedy);
    }
}

Descriptor open_file(const fs::path& path)
{
    return open_if(path, [](const Descriptor&, const Status&) { return false; });
}

Descriptor open_file_or_pipe(const fs::path& path)
{
    Descriptor file = open_if(path, is_pipe_of_shell);
    // Reading waits for the writer of a pipe.
    if (::fcntl(file.number(), F_SETFL, O_RDONLY) != 0)
    {
        refuse_unreachable(path, errno);
    }
    return file;
}
}  // namespace paws::io
