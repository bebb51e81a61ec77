#pragma once

#include <filesystem>
#include <initializer_list>
#include <string_view>

#include "io/base/error.hpp"

namespace paws::io
{
/// A file that appears whole or not at all: it is written under another name in the same folder
/// (PATH.partial-HOST-PID), made lasting with fsync, and renamed. Until commit() has returned, what was at PATH before
/// is untouched. A process that is killed leaves its temporary file; the next one on the same machine that writes PATH
/// removes it. A symbolic link stays: the file it leads to is the one that appears. Of a long name, the temporary one
/// has the beginning only (see name_beside).
///
///     AtomicFile file(path);
///     write_something(file.temporary());
///     file.commit();
class AtomicFile
{
public:
    /// Makes the temporary file, empty. Throws if the folder is missing or may not be written to, or if `path` is a
    /// folder, a device or whatever else is no file that another can take the place of.
    explicit AtomicFile(std::filesystem::path path);
    /// Removes the temporary file if there was no commit().
    ~AtomicFile();
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;

    const std::filesystem::path& temporary() const { return temporary_; }
    /// That in which the file is put.
    std::filesystem::path folder() const;

    /// Puts the file in its place. What was written must be closed by now. Throws SystemError.
    void commit();

private:
    std::filesystem::path path_;   ///< as it was given
    std::filesystem::path place_;  ///< where the file is put
    std::filesystem::path temporary_;
};

/// Throws SystemError: `path` cannot be written for the reason of `error`, and what to do.
[[noreturn]] void refuse_write(const std::filesystem::path& path, const SystemError& error);

/// Removes the temporary files of all AtomicFiles that there are, from any thread, in a process that is about to end:
/// they cannot be put in their places any more.
void remove_temporaries() noexcept;

/// Ends the process at once, from any thread, whatever the others are doing: removes the temporary files of all
/// AtomicFiles that there are, and does nothing else that the end of a process usually does (see _exit).
[[noreturn]] void exit_without_temporaries(int code) noexcept;

/// Writes a file whole. Throws SystemError, which names `path` and what to do, on a full disk for example.
/// Its contents are the pieces, one after another.
void write_atomically(const std::filesystem::path& path, std::initializer_list<std::string_view> pieces);
}  // namespace paws::io
