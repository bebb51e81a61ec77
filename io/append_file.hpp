#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

#include "io/descriptor.hpp"

namespace paws::io
{
/// A log: a file that grows at its end, a line or a record at a time, and can be read all the while.
class AppendFile
{
public:
    /// Begins the file anew with `contents`; what was there stays until all of them are on the disk. Throws
    /// SystemError, which names the file and what to do.
    AppendFile(std::filesystem::path path, std::string_view contents);

    /// The operating system has the bytes when this returns. Throws SystemError as well, on a full disk for example; a
    /// part that was written is taken back, so that what is appended later stands in its place.
    void append(std::string_view bytes);

    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
    std::optional<Descriptor> file_;
    std::uint64_t length_ = 0;
};
}  // namespace paws::io
