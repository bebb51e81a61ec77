#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace paws::io
{
/// Learned features of pictures, and where they come from.
struct Embeddings
{
    std::vector<float> values;         ///< [N, D]
    std::size_t dimensions = 0;        ///< D
    std::vector<std::int64_t> labels;  ///< [N]
    std::vector<std::int64_t> index;   ///< [N], position of the picture in its split
    std::vector<std::string> names;    ///< [N]

    std::string checkpoint;  ///< path of the checkpoint
    std::string split;
    std::string config;      ///< the YAML
    double temperature = 0;  ///< that of the soft nearest neighbours

    /// N.
    std::size_t count() const { return labels.size(); }
};

/// Writes a `paws-embeddings` file, atomically: data sets embeddings, labels, index, names with the attribute crc32,
/// root attributes checkpoint, split, config, temperature. Throws before anything is written if the lengths do not
/// match.
///
///     file = h5py.File("embeddings.h5")
///     table = pandas.DataFrame(file["embeddings"][:], index=file["names"].asstr()[:])
void write_embeddings(const std::filesystem::path& path, const Embeddings& embeddings);

/// Throws if the file is of another format, its lengths do not match, or something does not match its checksum.
Embeddings read_embeddings(const std::filesystem::path& path);
}  // namespace paws::io
