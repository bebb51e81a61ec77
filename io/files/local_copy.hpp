#pragma once

// A copy of a file on another disk, for one process; io/files/staging.hpp shares it among the ranks of a node.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "io/base/error.hpp"

namespace paws::io
{
/// Called now and then with the bytes done and those there are; the last time with both equal.
using CopyProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;
/// Bytes that the user may still write to the disk of a folder.
using FreeSpace = std::function<std::uint64_t(const std::filesystem::path& folder)>;

/// There cannot be a copy, for want of space or permissions; the file itself can still be read where it is.
class NoLocalCopy : public Error
{
public:
    using Error::Error;
};

struct LocalCopy
{
    std::filesystem::path path;
    bool reused = false;  ///< it was there before, whole
};

/// As the operating system says.
std::uint64_t free_space(const std::filesystem::path& folder);

/// A whole copy of `file` in FOLDER/paws-staged-USER, made unless it is there. `file` is known by its full path, size
/// and time of change; those of the copy's original are kept beside it, with its CRC-32, which is computed again before
/// a copy is used once more. Whoever wants the same copy at the same time, in another process too, waits and then uses
/// it. The copy appears whole or not at all.
///
/// Throws NoLocalCopy if the folder is missing or may not be written to, if it has too little space, or if writing
/// fails; nothing is left then. Throws Error if `file` is missing, does not match its seal, or changes meanwhile.
LocalCopy copy_to_folder(const std::filesystem::path& file, const std::filesystem::path& folder,
                         const CopyProgress& progress = {}, const FreeSpace& free_space_of = free_space);
}  // namespace paws::io
