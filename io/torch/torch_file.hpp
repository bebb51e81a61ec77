#pragma once

// Files of PyTorch's torch.save: a pickle in which tensors stand for their storages, and the storages. Since
// PyTorch 1.6 it is a zip file of NAME/data.pkl and NAME/data/KEY, all stored as they are; before, one pickle after
// another.

#include <filesystem>

#include "io/torch/torch_value.hpp"

namespace paws::io
{
/// Whether a file begins like one of torch.save, of whichever age. Throws if there is no such file.
bool is_torch_file(const std::filesystem::path& path);

/// Whether it is of the zip form, whose parts have checksums.
bool is_zip_torch_file(const std::filesystem::path& path);

/// Reads all of it, tensors row-major whatever their strides. Nothing in it is executed: names other than those of
/// tensors, storages and OrderedDict are refused. Throws Error for anything that is cut off, damaged, or not plain
/// data, and for sizes that the file cannot have.
TorchValue read_torch_file(const std::filesystem::path& path);

/// Writes the zip form, atomically: torch.load of PyTorch 1.6 and newer takes it, also with weights_only. Equal values
/// give equal files. Throws std::invalid_argument for references, SystemError where it cannot be written.
void write_torch_file(const std::filesystem::path& path, const TorchValue& value);
}  // namespace paws::io
