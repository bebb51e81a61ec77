#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace paws::io
{
/// The last bytes of every HDF5 file that this program writes: a mark, and the length and CRC-32 of all before it.
/// HDF5 passes over what follows its own data, and drops it when it changes a file. So a file can be verified before
/// HDF5 opens it, which matters since HDF5 itself may crash on damaged files.
std::string make_seal(std::string_view bytes);

/// Reads a file through, piece by piece. False if it has no seal; throws Error if its bytes do not match its seal.
bool verify_seal(const std::filesystem::path& path);
}  // namespace paws::io
