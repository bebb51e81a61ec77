#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>

namespace paws::io
{
/// What tells a file from what it was before.
struct FileStamp
{
    std::uint64_t size = 0;
    std::int64_t modified = 0;  ///< ns since 1970
    ino_t inode = 0;            ///< another one: another file of the same name

    bool operator==(const FileStamp&) const = default;
};

/// Throws Error if there is no such file.
FileStamp stamp_of(const std::filesystem::path& file);
}  // namespace paws::io
