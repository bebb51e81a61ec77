#pragma once

#include <filesystem>
#include <string>

namespace paws::io
{
/// Throws if there is no such file.
void require_file(const std::filesystem::path& path);

/// The bytes of a file. Throws if it is missing or cannot be read.
std::string read_file(const std::filesystem::path& path);
}  // namespace paws::io
