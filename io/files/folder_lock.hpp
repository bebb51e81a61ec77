#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "io/files/descriptor.hpp"

namespace paws::io
{
/// Keeps a folder's files of one name to one process, on whatever machine: a lock on the file `path`, which goes when
/// the process ends, however it ends. The file itself stays; it says who has, or had, the lock.
class FolderLock
{
public:
    /// What its file begins with, by which it is told from other files.
    static constexpr std::string_view begin_of_text = "process ";

    /// Makes the file where there is none. Throws Error, which names the holder, if another process has the lock, and
    /// SystemError, which says what to do, if the file cannot be written.
    explicit FolderLock(const std::filesystem::path& path);

    /// False where the file system has no locks: then nobody is kept out.
    bool is_held() const { return held_; }

    /// Whether the file is still there: who removes or renames it lets others in.
    bool is_in_place() const { return file_.is_in_place(); }

private:
    void note_holder();

    Descriptor file_;
    bool held_ = false;
};
}  // namespace paws::io
