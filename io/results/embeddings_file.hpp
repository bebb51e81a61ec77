#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "io/hdf5/h5.hpp"

namespace paws::io
{
// A `paws-embeddings` file: what a network makes of images, a row an image, in data order.
//
//     backbone, projection, prediction  float32 or float16 [N, D]: the outputs that were asked for; the attribute
//                                       `outputs` of the root lists them
//     embeddings                        another name of the first of them
//     labels, index, names              [N]: the class of each image (int64), its position in the split (int64), its
//                                       name
//     probabilities, predicted          if asked for: of soft nearest neighbours, [N, K] and [N] (int64)
//
// Each has its CRC-32 in the attribute `crc32`. Where they come from, the attributes of the root say: checkpoint,
// epoch, split, config (the settings of the embedding), checkpoint_config (those of the training), temperature (of the
// soft nearest neighbours).
//
//     file = h5py.File("embeddings.h5")
//     table = pandas.DataFrame(file["embeddings"][:], index=file["names"].asstr()[:])

/// The images of such a file, and where it comes from.
struct EmbeddingsSource
{
    std::vector<std::int64_t> labels;  ///< [N]
    std::vector<std::int64_t> index;   ///< [N], position of the image in its split
    std::vector<std::string> names;    ///< [N]

    std::string checkpoint;         ///< path of the checkpoint
    std::int64_t epoch = 0;         ///< that were done
    std::string checkpoint_config;  ///< YAML
    std::string split;
    std::string config;      ///< YAML
    double temperature = 0;  ///< that of the soft nearest neighbours

    /// N.
    std::size_t count() const { return labels.size(); }
};

/// A file opened for reading. Throws if it is of another format, is damaged, or its lengths do not match.
class EmbeddingsFile
{
public:
    explicit EmbeddingsFile(const std::filesystem::path& path);
    /// `sealed`: whether its seal was verified; if not, the checksums of its data sets are.
    EmbeddingsFile(const std::filesystem::path& path, bool sealed);

    const EmbeddingsSource& source() const { return source_; }
    std::size_t count() const { return source_.count(); }
    /// Names of the network's outputs, in the order asked for; "embeddings" alone where the file does not say.
    const std::vector<std::string>& outputs() const { return outputs_; }
    bool has_probabilities() const;

    /// One of outputs(), "embeddings" or "probabilities": [N, width].
    h5::Dataset reals(const std::string& name) const;
    /// Rows [first, first + count) of it.
    std::vector<float> rows(const std::string& name, std::size_t first, std::size_t count) const;
    /// [N], the most probable class.
    std::vector<std::int64_t> predicted() const;

private:
    void verify_checksums() const;

    h5::File file_;
    EmbeddingsSource source_;
    std::vector<std::string> outputs_;
};
}  // namespace paws::io
