#pragma once

// Where input is to be read from: what is there, and in a user's words why it cannot be read. Nothing here waits, as
// opening a FIFO would.

#include <filesystem>
#include <string>

#include "io/files/descriptor.hpp"

namespace paws::io
{
/// Whether a path leads to something, of whatever kind; a symbolic link whose target is missing does not. Throws Error
/// where that cannot be found out: a folder on the way that may not be entered, links in a circle, a name too long.
bool is_there(const std::filesystem::path& path);

/// Whether it leads to a folder. Throws as is_there() does.
bool is_folder(const std::filesystem::path& path);

/// Throws Error, which says why, unless `path` leads to a regular file that may be read.
void require_file(const std::filesystem::path& path);

/// Throws Error, which says why, unless `path` leads to a folder. `remedy`: what to do if nothing is there.
void require_folder(const std::filesystem::path& path, const std::string& remedy = "check the path");

/// Opens a regular file for reading. Throws as require_file() does.
Descriptor open_file(const std::filesystem::path& path);

/// The same, or the pipe that a shell put in the place of a file: `<(COMMAND)`, or /dev/stdin behind a `|`.
Descriptor open_file_or_pipe(const std::filesystem::path& path);
}  // namespace paws::io
