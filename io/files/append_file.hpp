#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "io/files/descriptor.hpp"

namespace paws::io
{
/// A log: a file that grows at its end, a line or a record at a time, and can be read all the while.
class AppendFile
{
public:
    /// Begins the file anew with `contents`; what was there stays until all of them are on the disk. `header`: what a
    /// file of this kind begins with, for one that has to be begun again. Throws SystemError, which names the file and
    /// what to do.
    AppendFile(std::filesystem::path path, std::string_view contents, std::string header = "");

    /// The operating system has the bytes when this returns. Throws SystemError as well, on a full disk for example; a
    /// part that was written is taken back, so that what is appended later stands in its place. A file that was
    /// removed, renamed or emptied meanwhile is begun again, with its folder if need be; one that another was put in
    /// the place of goes on in that. Gives whether it was begun again. Where it cannot be, the bytes go to the file
    /// that was moved away, before this throws.
    bool append(std::string_view bytes);

    const std::filesystem::path& path() const { return path_; }

private:
    void write(std::string_view bytes);
    void open_again();

    std::filesystem::path path_;
    std::string header_;
    bool has_begun_;  ///< something has been written
    std::unique_ptr<Descriptor> file_;
};
}  // namespace paws::io
