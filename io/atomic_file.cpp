#include "io/atomic_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "io/descriptor.hpp"

namespace paws::io
{
namespace
{
std::filesystem::path folder_of(const std::filesystem::path& path)
{
    return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}
}  // namespace

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path))
{
    const std::filesystem::path folder = folder_of(path_);
    std::error_code error;
    if (!path_.has_filename() || std::filesystem::is_directory(path_, error))
    {
        throw Error(path_.string() + ": is a folder; name the file to write");
    }
    if (!std::filesystem::is_directory(folder, error))
    {
        throw Error(path_.string() + ": cannot be written, there is no folder '" + folder.string() +
                    "'; make it first");
    }
    temporary_ = path_;
    temporary_ += ".partial-" + std::to_string(::getpid());
    try
    {
        Descriptor(temporary_, O_WRONLY | O_CREAT | O_TRUNC).close();
    }
    catch (const SystemError& refused)
    {
        throw SystemError(path_.string(), "cannot be written (" + refused.reason() +
                                              "); check the permissions and space of '" + folder.string() +
                                              "', or name another folder");
    }
}

AtomicFile::~AtomicFile()
{
    std::error_code ignored;
    std::filesystem::remove(temporary_, ignored);
}

void AtomicFile::commit()
{
    Descriptor(temporary_, O_RDONLY).sync();
    if (std::rename(temporary_.c_str(), path_.c_str()) != 0)
    {
        throw SystemError(path_.string(), "rename failed: " + std::generic_category().message(errno));
    }
    Descriptor(folder_of(path_), O_RDONLY | O_DIRECTORY).sync();
}

std::filesystem::path AtomicFile::folder() const
{
    return folder_of(path_);
}

void refuse_write(const std::filesystem::path& path, const SystemError& error)
{
    throw SystemError(path.string(), "cannot be written (" + error.reason() + "); free some space or quota in '" +
                                         folder_of(path).string() + "', or name another folder");
}

void write_atomically(const std::filesystem::path& path, std::initializer_list<std::string_view> pieces)
{
    AtomicFile file(path);
    try
    {
        Descriptor descriptor(file.temporary(), O_WRONLY | O_TRUNC);
        for (const std::string_view piece : pieces)
        {
            descriptor.write(piece);
        }
        descriptor.close();
        file.commit();
    }
    catch (const SystemError& error)
    {
        refuse_write(path, error);
    }
}
}  // namespace paws::io
