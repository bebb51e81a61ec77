#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "io/hdf5/h5.hpp"

namespace paws::io
{
/// A kind of file of this program, as its root attributes `format` and `version` say.
struct Format
{
    std::string name;
    std::int64_t version;
    /// Files may be too large to be verified as a whole before HDF5 opens them: then no string has variable length.
    bool may_be_huge = false;
};

inline const Format dataset_format = {"paws-dataset", 1, true};
inline const Format embeddings_format = {"paws-embeddings", 1};
inline const Format checkpoint_format = {"paws-checkpoint", 1};
inline const Format timings_format = {"paws-timings", 1};

/// The program and its version, as files say it.
std::string created_by();

/// Writes the root attributes `format`, `version` and `created_by`.
void write_format(h5::File& file, const Format& format);

/// Opens a file for reading. Throws if it is of another format or of a newer version.
h5::File open_format(const std::filesystem::path& path, const Format& format);

/// The same for files that this program alone writes: verifies all its bytes first. Throws if they do not match its
/// seal, or if that is missing.
h5::File open_verified(const std::filesystem::path& path, const Format& format);
}  // namespace paws::io
