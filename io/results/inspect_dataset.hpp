#pragma once

#include <filesystem>
#include <string>

namespace paws::io
{
/// What is in a `paws-dataset` file, in a human-readable summary. Reads all of it as training does, piece by piece, and
/// compares every checksum there is; encoded images without one are decoded. `sealed`: whether its seal was verified.
/// Throws Error for what training would refuse.
std::string describe_dataset(const std::filesystem::path& path, bool sealed);
}  // namespace paws::io
