#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace paws::io
{
/// A file descriptor of POSIX, for what streams do not do: errors with their reason, fsync, locks. Each function throws
/// SystemError, which quotes the call that failed.
class Descriptor
{
public:
    /// `flags`: those of open(2). A file that is made may be read and written as the umask says.
    Descriptor(const std::filesystem::path& path, int flags);
    /// Takes over an open file; `path` is what it is called in messages.
    struct Open
    {
        int number;
    };
    Descriptor(const std::filesystem::path& path, Open open) : path_(path), number_(open.number) {}
    ~Descriptor();
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    Descriptor(Descriptor&& other) noexcept;

    void write(std::string_view bytes);

    /// Reads on until `out` is full or the file ends; gives the number of bytes read.
    std::size_t read(std::span<std::byte> out);

    /// Where reading and writing go on: bytes from the beginning.
    void seek(std::uint64_t place);

    /// Makes the file so long. Where the file system can, the space is taken at once, and none is a reason to throw.
    void allocate(std::uint64_t bytes);

    /// Waits until the storage has it. Some file systems have nothing to wait for, for a folder, and say so.
    void sync();

    /// Waits until no other descriptor of the file, in this process or another of the machine, has its lock. The lock
    /// goes with the descriptor.
    void lock();

    enum class Lock
    {
        taken,
        busy,        ///< another has it
        impossible,  ///< the file system has no locks
    };
    /// The same without waiting.
    Lock try_lock();

    /// Cuts the file off after so many bytes, and resumes from there.
    void cut(std::uint64_t bytes);

    void close();

    /// Whether the path still leads to this file: not when it was removed, renamed or replaced since, nor when a folder
    /// above was. Where the system does not tell, it does.
    bool is_in_place() const;

    /// Bytes. A file that grew by other hands counts too.
    std::uint64_t size() const;

    int number() const { return number_; }

private:
    std::filesystem::path path_;
    int number_;
};
}  // namespace paws::io
