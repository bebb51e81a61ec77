#pragma once

#include <filesystem>
#include <string>

#include "io/files/input_path.hpp"

namespace paws::io
{
/// The bytes of a file. Throws Error, which says why, if it is missing or cannot be read.
std::string read_file(const std::filesystem::path& path);

/// The same of a file or a pipe of the shell; see open_file_or_pipe().
std::string read_file_or_pipe(const std::filesystem::path& path);
}  // namespace paws::io
