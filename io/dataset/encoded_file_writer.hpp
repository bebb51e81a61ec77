#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "io/hdf5/collective_file.hpp"
#include "io/hdf5/h5.hpp"
#include "io/ranks/group.hpp"

namespace paws::io
{
/// Writes a `paws-dataset` file of encoded images (see DatasetFile) by all ranks together, atomically.
///
///     EncodedFileWriter writer(path, class_names, splits, ranks);
///     writer.write(0, first_byte, bytes);     // on every rank, as often as it takes
///     writer.finish(results);
///
/// All but the images is made in memory by rank 0 and reaches the disk as plain bytes (see CollectiveFile): HDF5 has
/// nothing but images to write.
///
/// Every function is collective and throws the same on every rank (see ranks::agreed); the file is then not there, or
/// what it was.
class EncodedFileWriter
{
public:
    struct Split
    {
        std::string name;
        std::uint64_t bytes = 0;             ///< of all images
        std::vector<std::int64_t> labels;    ///< [N]; this and what follows on rank 0 only
        std::vector<std::string> names;      ///< [N]
        std::vector<std::uint64_t> offsets;  ///< [N + 1]
        std::vector<std::string> skipped;    ///< "NAME: REASON"
    };

    /// What is known of a split's images when all are written; on rank 0.
    struct Result
    {
        std::vector<std::uint32_t> checksums;  ///< [N]
        std::vector<std::uint32_t> sizes;      ///< [N, 2]
    };

    EncodedFileWriter(const std::filesystem::path& path, const std::vector<std::string>& class_names,
                      const std::vector<Split>& splits, const ranks::Group& ranks);

    /// Bytes of the encoded images of a split from `first_byte` on; each rank its own, or none.
    void write(std::size_t split, std::uint64_t first_byte, std::span<const std::uint8_t> bytes);

    /// Writes the rest, verifies the file and puts it in its place. One result a split, in their order.
    void finish(const std::vector<Result>& results);

private:
    struct OpenSplit
    {
        h5::Dataset encoded, checksums, sizes;
    };

    void open_skeleton(const std::vector<Split>& splits);

    CollectiveFile file_;
    std::vector<std::string> names_;  // of the splits
    std::vector<OpenSplit> splits_;   // closed before the file is
};
}  // namespace paws::io
