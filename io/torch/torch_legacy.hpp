#pragma once

#include <string>

#include "io/torch/torch_value.hpp"

namespace paws::io
{
/// Whether bytes begin like a file of torch.save before PyTorch 1.6.
bool is_legacy_torch(std::string_view bytes);

/// The contents of such a file: pickles of a number, a version, the machine, the value and the keys of the storages,
/// then of each storage its elements, in the order of the keys. Throws Error.
TorchValue read_legacy_torch(const std::string& bytes, const std::string& source);
}  // namespace paws::io
