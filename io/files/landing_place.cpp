#include "io/files/landing_place.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <system_error>

#include "io/base/error.hpp"
#include "io/files/file_name.hpp"

namespace paws::io
{
namespace
{
namespace fs = std::filesystem;

/// As the system has it.
constexpr int most_links = 40;

[[noreturn]] void fail(const fs::path& path, int reason)
{
    const std::string why = std::generic_category().message(reason);
    if (reason == ENAMETOOLONG)
    {
        for (fs::path part = path; part.has_relative_path(); part = part.parent_path())
        {
            require_name_fits(part);
        }
        throw SystemError(path.string(), "cannot be written (" + why + "); the system takes paths of " +
                                             std::to_string(PATH_MAX - 1) + " bytes: give a shorter one");
    }
    throw SystemError(path.string(), "cannot be written (" + why + "); check the path and its permissions");
}

bool is_missing(int reason)
{
    return reason == ENOENT || reason == ENOTDIR;
}

FileType type_of(const struct stat& found)
{
    switch (found.st_mode & S_IFMT)
    {
        case S_IFDIR:
            return FileType::folder;
        case S_IFCHR:
            return FileType::character_device;
        case S_IFBLK:
            return FileType::block_device;
        case S_IFIFO:
            return FileType::fifo;
        case S_IFSOCK:
            return FileType::socket;
        default:
            return FileType::regular;
    }
}

/// The number of the open file that a name in /proc/self/fd stands for.
std::optional<int> own_descriptor(const fs::path& path)
{
    const std::string name = path.filename().string();
    if (name.empty() || name.size() > 6 ||
        !std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; }))
    {
        return std::nullopt;
    }
    std::error_code error;
    const std::string folder = fs::canonical(folder_of(path), error).string();
    const std::string own = "/proc/" + std::to_string(::getpid()) + "/";
    if (error || !folder.starts_with(own) || !folder.ends_with("/fd"))
    {
        return std::nullopt;
    }
    return std::atoi(name.c_str());
}

bool is_same(const struct stat& a, const struct stat& b)
{
    return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}
}  // namespace

std::string in_words(FileType type)
{
    switch (type)
    {
        case FileType::absent:
            return "not there";
        case FileType::regular:
            return "a file";
        case FileType::folder:
            return "a folder";
        case FileType::character_device:
            return "a character device";
        case FileType::block_device:
            return "a block device";
        case FileType::fifo:
            return "a FIFO";
        case FileType::socket:
            return "a socket";
        case FileType::own_descriptor:
            return "a stream of this program";
    }
    return "";
}

fs::path folder_of(const fs::path& path)
{
    return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

LandingPlace landing_place(const fs::path& path)
{
    // Links are followed here by their text. What the system says of them first is also whether it lets us.
    struct stat followed
    {
    };
    const bool exists = ::stat(path.c_str(), &followed) == 0;
    if (!exists && !is_missing(errno))
    {
        fail(path, errno);
    }
    LandingPlace place{path, exists ? type_of(followed) : FileType::absent};
    for (int links = 0; links <= most_links; ++links)
    {
        if (const auto number = own_descriptor(place.path))
        {
            return {place.path, FileType::own_descriptor, *number};
        }
        struct stat found
        {
        };
        if (::lstat(place.path.c_str(), &found) != 0)
        {
            if (!is_missing(errno))
            {
                fail(path, errno);
            }
            break;
        }
        if (!S_ISLNK(found.st_mode))
        {
            if (links > 0 && exists && !is_same(found, followed))
            {
                break;
            }
            return place;
        }
        std::error_code error;
        const fs::path target = fs::read_symlink(place.path, error);
        if (error)
        {
            fail(path, error.value());
        }
        // An absolute target replaces the folder.
        place.path = folder_of(place.path) / target;
    }
    if (exists)
    {
        // A link of /proc, for example, to a file that was removed.
        throw Error(path.string() + ": leads to a file that has no name; name a file");
    }
    return place;
}

std::optional<FileIdentity> FileIdentity::of(const fs::path& path)
{
    FileIdentity identity;
    struct stat found
    {
    };
    if (::stat(path.c_str(), &found) == 0)
    {
        identity.exists_ = true;
        identity.is_shared_ = S_ISCHR(found.st_mode);
        identity.device_ = found.st_dev;
        identity.inode_ = found.st_ino;
        return identity;
    }
    try
    {
        std::error_code error;
        identity.place_ = fs::weakly_canonical(fs::absolute(landing_place(path).path), error);
        return error ? std::nullopt : std::optional(identity);
    }
    catch (const Error&)
    {
        return std::nullopt;
    }
}

std::optional<FileIdentity> FileIdentity::of_descriptor(int number)
{
    struct stat found
    {
    };
    if (::fstat(number, &found) != 0)
    {
        return std::nullopt;
    }
    FileIdentity identity;
    identity.exists_ = true;
    identity.is_shared_ = S_ISCHR(found.st_mode);
    identity.device_ = found.st_dev;
    identity.inode_ = found.st_ino;
    return identity;
}

bool FileIdentity::operator==(const FileIdentity& other) const
{
    return exists_ == other.exists_ &&
           (exists_ ? device_ == other.device_ && inode_ == other.inode_ : place_ == other.place_);
}
}  // namespace paws::io
