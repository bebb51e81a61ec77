#pragma once

#include <filesystem>
#include <string>

namespace paws::io
{
/// What is in a file of this program, in a human-readable summary: format, version and maker; splits, sizes and images
/// per class, or arrays, parameters and progress; whether it is whole. Reads all of it, piece by piece. Throws if the
/// file is of no known format, is cut off, or if something does not match its checksum.
std::string describe(const std::filesystem::path& path);
}  // namespace paws::io
