#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace paws::io
{
/// Bytes [place, place + length) of a file.
struct Piece
{
    std::uint64_t place = 0;
    std::uint64_t length = 0;
};

/// What stands before the seal (io/files/seal.hpp) of every HDF5 file that this program writes: the CRC-32 of all that
/// HDF5 parses, its superblock, groups, attributes, indices and heaps, which are all bytes but those of the data sets'
/// elements. These few kB are verified each time that a file is opened, however large it is: HDF5 itself may crash or
/// never end on damaged ones. Integers of 64 bits, little-endian:
///
///     place and length of each piece of elements, ascending; nothing else is left out of the sum
///     number of pieces; CRC-32 of all other bytes before this; CRC-32 of the header seal up to here
///     the bytes PAWSHEAD
///
/// HDF5 passes over it, as over the seal. `elements`: the pieces in any order.
std::string make_header_seal(std::string_view bytes, std::vector<Piece> elements);
/// The same for a file that is written but for its seals.
std::string header_seal_of_file(const std::filesystem::path& path, std::vector<Piece> elements);

/// False if a file has no header seal. Throws Error if what HDF5 would parse does not match it.
bool verify_header(const std::filesystem::path& path);
}  // namespace paws::io
