#pragma once

// The inside of pack_folder.cpp: going through all images of a split, by all ranks.

#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include "io/dataset/encoded_file_writer.hpp"
#include "io/dataset/folder_tree.hpp"
#include "io/dataset/pack_folder.hpp"
#include "io/image/stored_image.hpp"
#include "io/ranks/group.hpp"
#include "io/ranks/work_parts.hpp"

namespace paws::io
{
/// What is known of an image that is whole.
struct ImageFacts
{
    std::uint64_t length = 0;  // bytes, as stored
    std::uint32_t checksum = 0;
    std::uint32_t height = 0;
    std::uint32_t width = 0;
    std::uint32_t is_reduced = 0;
};

struct CorruptImage
{
    std::size_t position = 0;  // in the split
    std::string reason;
};

/// A split on its way into the file; the same on every rank.
struct PackedSplit
{
    std::string name;
    std::filesystem::path folder;
    FileList files;
    std::vector<std::uint64_t> offsets;  // [N + 1], where images will begin in the file
    std::vector<ImageFacts> facts;       // [N] if all images were looked at before, or else none
    std::vector<std::string> skipped;    // "CLASS/FILE: REASON"

    std::size_t count() const { return files.count(); }
};

/// Tells how far it is over the splits, on rank 0.
class PassMeter
{
public:
    PassMeter(const FolderPackProgress& progress, bool writes, const std::vector<PackedSplit>& splits);
    void add(std::uint64_t images, std::uint64_t bytes);

private:
    const FolderPackProgress& progress_;
    FolderPackStatus status_;
    double begin_;
};

/// One pass over a split: every image is looked at, and with a writer goes into the file.
class FolderPass
{
public:
    /// On rank 0; the facts of corrupt images are zeros.
    struct Result
    {
        std::vector<ImageFacts> facts;      // [N]
        std::vector<CorruptImage> corrupt;  // by position
    };

    FolderPass(const PackedSplit& split, const FolderPackRequest& request, const ranks::Group& ranks,
               std::size_t threads);

    /// Collective. With a writer, the split is its number `index`; as soon as an image is corrupt, nothing more is
    /// written. Throws, the same on every rank, for anything but corrupt images.
    Result run(PassMeter& meter, EncodedFileWriter* writer = nullptr, std::size_t index = 0);

private:
    struct Prepared;
    std::exception_ptr tell(PassMeter& meter, std::uint64_t images, std::uint64_t bytes) const;
    Prepared prepare(ranks::Part part, bool keep_bytes) const;
    void prepare_image(std::size_t position, bool keep_bytes, Prepared& into) const;
    StoredImage load(std::size_t position) const;
    std::vector<CorruptImage> gather_corrupt(const std::vector<CorruptImage>& mine) const;

    const PackedSplit& split_;
    const FolderPackRequest& request_;
    const ranks::Group& ranks_;
    std::size_t threads_;
};
}  // namespace paws::io
