#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/hdf5/h5.hpp"

namespace paws::io
{
/// Labelled RGB images of one size.
struct ImageSet
{
    std::vector<std::uint8_t> pixels;  ///< [N, H, W, 3]
    std::size_t height = 0;
    std::size_t width = 0;
    std::vector<std::int64_t> labels;  ///< [N], each an index into the class names
    std::vector<std::string> names;    ///< [N]

    /// N.
    std::size_t count() const { return labels.size(); }
};

/// What a data set file holds.
struct DatasetContent
{
    std::vector<std::string> class_names;
    std::map<std::string, ImageSet> splits;  ///< "train", "val"
};

/// Writes a `paws-dataset` file, atomically. Throws before anything is written if the content does not hold together:
/// no class, an empty split, arrays of unequal lengths, a label without a class.
void write_dataset(const std::filesystem::path& path, const DatasetContent& content);

/// A `paws-dataset` file, open for reading:
///
///     /class_names                        text [K]
///     /SPLIT/labels, /SPLIT/names         int64 [N], text [N]
///     /SPLIT/images                       uint8 [N, H, W, 3]
/// or, instead of images, the bytes of JPEG and PNG files one after another:
///
///     /SPLIT/encoded, /SPLIT/offsets      uint8 [bytes], and where each image begins, uint64 [N + 1]
///     /SPLIT/checksums, /SPLIT/sizes      optional: CRC-32 of each image's bytes, uint32 [N], and its height and
///                                         width in pixels, uint32 [N, 2]
///     /SPLIT/skipped                      optional: "NAME: REASON" of each image that was left out, text
///
/// Any data set may have the attribute `crc32`. Reading from several threads is safe.
class DatasetFile
{
public:
    /// Throws if it is of another format, or does not hold together. Reads the labels, not the images.
    explicit DatasetFile(const std::filesystem::path& path);

    const std::filesystem::path& path() const { return path_; }
    const std::vector<std::string>& class_names() const { return class_names_; }
    std::vector<std::string> split_names() const;
    bool has_split(std::string_view split) const;

    // Each throws, listing the splits there are, if `split` is not one of them.

    std::size_t count(std::string_view split) const { return find(split).labels.size(); }
    const std::vector<std::int64_t>& labels(std::string_view split) const { return find(split).labels; }
    /// [N]. Throws if the names do not match their checksum.
    std::vector<std::string> names(std::string_view split) const;
    /// Whether the images are kept as the bytes of JPEG and PNG files; they then have no common size.
    bool is_encoded(std::string_view split) const { return find(split).encoded; }

    // Each of these throws for a split of encoded images.

    std::size_t height(std::string_view split) const { return find_images(split).height; }
    std::size_t width(std::string_view split) const { return find_images(split).width; }

    /// All of a split. Throws if something of it does not match its checksum.
    ImageSet read(std::string_view split) const;

    /// Images [first, first + count) into `out`, [count, H, W, 3]. Checksums, which are of the whole, are not
    /// verified.
    void read_images(std::string_view split, std::size_t first, std::size_t count, std::span<std::uint8_t> out) const;

    // Each of these throws for a split of images that are not encoded.

    /// Where each image begins in the encoded bytes, and their end: [N + 1], ascending from 0.
    /// Throws if they are not so, or do not match their checksum.
    std::vector<std::uint64_t> offsets(std::string_view split) const;
    /// CRC-32 of each image's bytes, [N]; nothing if the file does not have them.
    std::vector<std::uint32_t> checksums(std::string_view split) const;
    /// Height and width of each image in pixels, [N, 2]; nothing if the file does not have them.
    std::vector<std::uint32_t> sizes(std::string_view split) const;
    /// "NAME: REASON" of each image that was left out when the file was made.
    std::vector<std::string> skipped(std::string_view split) const;
    /// Bytes [first_byte, first_byte + count) of the encoded images into `out`, which has `count` elements. Checksums
    /// are not verified.
    void read_encoded(std::string_view split, std::uint64_t first_byte, std::size_t count,
                      std::span<std::uint8_t> out) const;

private:
    struct Split
    {
        bool encoded = false;
        std::size_t height = 0;
        std::size_t width = 0;
        std::vector<std::int64_t> labels;
    };

    void require_labels_held(const std::vector<std::string>& splits) const;
    Split open_split(const std::string& name) const;
    const Split& find(std::string_view split) const;
    const Split& find_images(std::string_view split) const;
    const Split& find_encoded(std::string_view split) const;
    bool has_part(std::string_view split, const char* name) const;
    template <typename T>
    std::vector<T> read_verified(std::string_view split, const char* name, const h5::Shape& shape) const;
    h5::Dataset part(std::string_view split, const char* name) const;

    std::filesystem::path path_;
    h5::File file_;
    std::vector<std::string> class_names_;
    std::map<std::string, Split, std::less<>> splits_;
};

/// Throws Error unless `checksum` is the CRC-32 of the bytes of image `name`. `where`: the file, and the place in it.
void require_image_checksum(const std::string& where, const std::string& name, std::span<const std::uint8_t> bytes,
                            std::uint32_t checksum);
}  // namespace paws::io
