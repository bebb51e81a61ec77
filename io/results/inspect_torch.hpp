#pragma once

#include <filesystem>
#include <string>

namespace paws::io
{
/// What is in a file of torch.save, in a human-readable summary. Reads all of it. Throws Error.
std::string describe_torch(const std::filesystem::path& path);
}  // namespace paws::io
