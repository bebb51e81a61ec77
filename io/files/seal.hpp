#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace paws::io
{
/// What a seal says of all bytes before it.
struct Seal
{
    std::uint64_t length = 0;
    std::uint32_t checksum = 0;  ///< CRC-32
};

/// The last bytes of every HDF5 file that this program writes: a mark, and the length and CRC-32 of all before it, the
/// header seal (io/hdf5/header_seal.hpp) included, which older files do not have. HDF5 passes over what follows its own
/// data, and drops it when it changes a file. So a file can be verified before HDF5 opens it, which matters since HDF5
/// itself may crash on damaged files.
std::string make_seal(std::string_view bytes);
std::string make_seal(const Seal& seal);

/// The seal of a file, or none if it has none. Reads no more than that, so the bytes may still not match; throws Error
/// if not even their number does.
std::optional<Seal> read_seal(const std::filesystem::path& path);

/// Throws Error: what is said of a file whose bytes do not match its seal.
[[noreturn]] void refuse_broken_seal(const std::filesystem::path& path);

/// Reads a file through, piece by piece. False if it has no seal; throws Error if its bytes do not match its seal.
bool verify_seal(const std::filesystem::path& path);
}  // namespace paws::io
