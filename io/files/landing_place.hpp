#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace paws::io
{
/// What there is at a path, for a program that wants to write there.
enum class FileType
{
    absent,
    regular,
    folder,
    character_device,
    block_device,
    fifo,
    socket,
    own_descriptor  ///< one that this process was started with: /dev/stdout, /dev/fd/3
};

/// "a FIFO".
std::string in_words(FileType type);

/// Where what is written to a path lands.
struct LandingPlace
{
    std::filesystem::path path;  ///< no symbolic link
    FileType type = FileType::absent;
    int descriptor = -1;  ///< of own_descriptor
};

/// Follows symbolic links, also one to what is not there yet. Throws SystemError where the system would not follow
/// them either (in a circle, through a folder that may not be searched, a link of somebody else in a shared folder),
/// and for a name that is longer than the file system takes. That the folder is missing is no reason to throw.
LandingPlace landing_place(const std::filesystem::path& path);

/// The folder of a file, "." for a bare name.
std::filesystem::path folder_of(const std::filesystem::path& path);

/// Which file a path means, whatever its name: that of the same device and inode or, as long as there is none, the
/// place where it would be made.
class FileIdentity
{
public:
    /// None where nothing can be said, since the path cannot be followed.
    static std::optional<FileIdentity> of(const std::filesystem::path& path);
    /// Of an open file. None for a number that is not open.
    static std::optional<FileIdentity> of_descriptor(int number);

    bool operator==(const FileIdentity& other) const;
    /// Whether it is one of those that any number of writers share: a terminal, /dev/null.
    bool is_shared() const { return is_shared_; }

private:
    bool exists_ = false;
    bool is_shared_ = false;
    std::uint64_t device_ = 0;
    std::uint64_t inode_ = 0;
    std::filesystem::path place_;
};
}  // namespace paws::io
