#pragma once

#include <filesystem>
#include <string>

namespace paws::io
{
/// What a file is that is given for a checkpoint but is none of torch.save and no HDF5: "is a safetensors file; ...",
/// with what can be done about it. Empty if it is nothing known. Throws Error if it cannot be read.
std::string kind_of_other_file(const std::filesystem::path& path);

/// Throws Error if it is something known, or else no HDF5.
void refuse_other_file(const std::filesystem::path& path);
}  // namespace paws::io
