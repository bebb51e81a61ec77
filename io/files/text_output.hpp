#pragma once

#include <chrono>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <string_view>

#include "io/files/descriptor.hpp"

namespace paws::io
{
/// A text that is written at the end of a command: to a file, which appears whole (see AtomicFile), or to a character
/// device, a FIFO or a stream that the program was started with (/dev/stdout, /dev/fd/3), which get the bytes as they
/// are. Such a stream is opened at once, so that nobody waits for a command that could not write in the end.
class TextOutput
{
public:
    /// Waits `patience` for a FIFO's reader. Where the text goes to stdout it stands there alone: from now on what is
    /// printed goes to stderr. Throws Error: a stream that cannot be opened; a folder, a socket, a block device.
    explicit TextOutput(std::filesystem::path path, std::chrono::milliseconds patience = std::chrono::seconds(10));

    /// Throws SystemError, which says what to do, where it cannot be written.
    void write(std::initializer_list<std::string_view> pieces);

private:
    std::filesystem::path path_;
    std::optional<Descriptor> stream_;  ///< none: a file
};
}  // namespace paws::io
