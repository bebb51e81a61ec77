#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace paws::io
{
/// Names of this many bytes are safe: file systems take 255, and Open MPI adds some of its own to the name of a file
/// that ranks write together.
inline constexpr std::size_t safe_name_length = 200;

/// `name`, or what its beginning and checksum make of it, with `suffix`, at most safe_name_length bytes with
/// `reserved` more: for files beside that one which go away again.
std::string name_beside(const std::string& name, const std::string& suffix, std::size_t reserved = 0);

/// How many bytes a name may have in a folder, or in the one that is to be made there.
std::size_t longest_name(const std::filesystem::path& folder);

/// Throws Error, which says the limit, if the last name of `path` is longer than its folder takes.
void require_name_fits(const std::filesystem::path& path);
}  // namespace paws::io
