#pragma once

#include <string_view>

namespace paws::io
{
/// The first bytes of an HDF5 file.
inline constexpr std::string_view hdf5_signature = "\x89HDF\r\n\x1a\n";
}  // namespace paws::io
