#pragma once

#include <filesystem>
#include <string>

namespace paws::io
{
/// The bytes of a file. Throws if it is missing or cannot be read.
std::string read_file(const std::filesystem::path& path);
}  // namespace paws::io
