#include "io/files/descriptor.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "io/base/error.hpp"

namespace paws::io
{
namespace
{
/// The kernel has it for itself, but some network file systems let it out.
constexpr int kernel_enotsupp = 524;

bool has_no_locks(int error)
{
    return error == ENOLCK || error == ENOSYS || error == EOPNOTSUPP || error == EINVAL || error == kernel_enotsupp;
}

[[noreturn]] void fail(const std::filesystem::path& path, const char* function)
{
    throw SystemError(path.string(), std::string(function) + " failed: " + std::generic_category().message(errno));
}
}  // namespace

Descriptor::Descriptor(const std::filesystem::path& path, int flags)
    : path_(path), number_(::open(path.c_str(), flags | O_CLOEXEC, 0666))
{
    if (number_ < 0)
    {
        fail(path_, "open");
    }
}

Descriptor::Descriptor(Descriptor&& other) noexcept
    : path_(std::move(other.path_)), number_(std::exchange(other.number_, -1))
{
}

Descriptor::~Descriptor()
{
    if (number_ >= 0)
    {
        ::close(number_);
    }
}

void Descriptor::write(std::string_view bytes)
{
    while (!bytes.empty())
    {
        const ssize_t written = ::write(number_, bytes.data(), bytes.size());
        if (written < 0 && errno != EINTR)
        {
            fail(path_, "write");
        }
        bytes.remove_prefix(written < 0 ? 0 : static_cast<std::size_t>(written));
    }
}

std::size_t Descriptor::read(std::span<std::byte> out)
{
    std::size_t filled = 0;
    while (filled < out.size())
    {
        const ssize_t got = ::read(number_, out.data() + filled, out.size() - filled);
        if (got < 0 && errno != EINTR)
        {
            fail(path_, "read");
        }
        if (got == 0)
        {
            break;
        }
        filled += got < 0 ? 0 : static_cast<std::size_t>(got);
    }
    return filled;
}

void Descriptor::seek(std::uint64_t place)
{
    if (::lseek(number_, static_cast<off_t>(place), SEEK_SET) < 0)
    {
        fail(path_, "lseek");
    }
}

void Descriptor::allocate(std::uint64_t bytes)
{
    const auto size = static_cast<off_t>(bytes);
    if (::fallocate(number_, 0, 0, size) == 0)
    {
        return;
    }
    if (errno != EOPNOTSUPP && errno != ENOSYS)
    {
        fail(path_, "fallocate");
    }
    if (::ftruncate(number_, size) != 0)
    {
        fail(path_, "ftruncate");
    }
}

void Descriptor::sync()
{
    if (::fsync(number_) != 0 && errno != EINVAL && errno != ENOTSUP)
    {
        fail(path_, "fsync");
    }
}

void Descriptor::lock()
{
    while (::flock(number_, LOCK_EX) != 0)
    {
        if (has_no_locks(errno))
        {
            throw SystemError(path_.string(), "its file system has no locks (flock failed)");
        }
        if (errno != EINTR)
        {
            fail(path_, "flock");
        }
    }
}

Descriptor::Lock Descriptor::try_lock()
{
    while (::flock(number_, LOCK_EX | LOCK_NB) != 0)
    {
        if (errno == EWOULDBLOCK)
        {
            return Lock::busy;
        }
        if (has_no_locks(errno))
        {
            return Lock::impossible;
        }
        if (errno != EINTR)
        {
            fail(path_, "flock");
        }
    }
    return Lock::taken;
}

void Descriptor::cut(std::uint64_t bytes)
{
    if (::ftruncate(number_, static_cast<off_t>(bytes)) != 0)
    {
        fail(path_, "ftruncate");
    }
    seek(bytes);
}

void Descriptor::close()
{
    if (::close(std::exchange(number_, -1)) != 0)
    {
        fail(path_, "close");
    }
}

bool Descriptor::is_in_place() const
{
    struct stat opened
    {
    };
    struct stat found
    {
    };
    if (::fstat(number_, &opened) != 0)
    {
        return errno != ESTALE;
    }
    if (::stat(path_.c_str(), &found) != 0)
    {
        return errno != ENOENT && errno != ENOTDIR && errno != ELOOP && errno != ESTALE;
    }
    return opened.st_dev == found.st_dev && opened.st_ino == found.st_ino;
}

std::uint64_t Descriptor::size() const
{
    struct stat opened
    {
    };
    if (::fstat(number_, &opened) != 0)
    {
        fail(path_, "fstat");
    }
    return static_cast<std::uint64_t>(opened.st_size);
}
}  // namespace paws::io
