#pragma once

#include <filesystem>

namespace paws::io
{
/// Follows the chains of objects in the global heap of an HDF5 file, where strings of variable length stand, as HDF5
/// does, which believes their lengths: HDF5 1.10 never ends at one of 0 and crashes at one that is too large, and the
/// heap has no checksum. For files that nothing else vouches for. Looks through the first 256 MiB.
/// Throws Error if a chain leaves its piece of the heap. Files that cannot be read, or are no HDF5, pass.
void require_sound_heap(const std::filesystem::path& path);
}  // namespace paws::io
