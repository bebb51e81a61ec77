#pragma once

// What of a checkpoint of ours has no place in the published dictionary, and stands there under a key of its own.

#include <string>
#include <vector>

#include "io/checkpoint/checkpoint_file.hpp"
#include "io/torch/torch_value.hpp"

namespace paws::io
{
constexpr const char* our_key = "paws_hpc";

TorchValue own_part(const Checkpoint& checkpoint, bool names_momentum);

/// The way back. Throws Error, naming `source`, for another version, or for what is not as own_part() writes it.
void read_own(const TorchValue& own, Checkpoint& checkpoint, const std::string& source);

void remove_own(TorchValue& root);

/// The names of the trained parameters: those that our part names, or else all of the encoder's. Throws Error.
std::vector<std::string> trained_names(const TorchValue* own, const NamedArrays& encoder, const std::string& source);
}  // namespace paws::io
