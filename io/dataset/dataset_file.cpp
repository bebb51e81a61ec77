#include "io/dataset/dataset_file.hpp"

#include <algorithm>

#include "io/base/error.hpp"
#include "io/base/printable.hpp"
#include "io/base/quantity.hpp"
#include "io/files/checksum.hpp"
#include "io/hdf5/format.hpp"
#include "io/hdf5/stored_checksum.hpp"

namespace paws::io
{
namespace
{
constexpr std::size_t channels = 3;
// A chunk is what HDF5 reads and keeps at a time; its cache holds 1 MiB for a data set.
constexpr std::size_t chunk_bytes = std::size_t{1} << 20;
constexpr std::size_t most_chunk_images = 256;

/// Throws if a label has no class.
void require_classes(const std::vector<std::int64_t>& labels, std::size_t classes, const std::string& where)
{
    const auto has_class = [&](std::int64_t label) { return label >= 0 && static_cast<std::size_t>(label) < classes; };
    const auto wrong = std::find_if_not(labels.begin(), labels.end(), has_class);
    if (wrong != labels.end())
    {
        throw Error(where + ": image " + std::to_string(wrong - labels.begin()) + " has label " +
                    std::to_string(*wrong) + ", but there are " + std::to_string(classes) +
                    " classes, counted from 0; correct the labels or the class names");
    }
}

void require_whole(const std::filesystem::path& path, const DatasetContent& content)
{
    if (content.class_names.empty() || content.splits.empty())
    {
        throw Error(path.string() + ": a data set needs class names and at least one split");
    }
    for (const auto& [name, split] : content.splits)
    {
        const std::string where = path.string() + ", split '" + name + "'";
        const std::size_t image = split.height * split.width * channels;
        if (split.count() == 0 || image == 0)
        {
            throw Error(where + ": has no images; leave the split out");
        }
        if (split.names.size() != split.count() || split.pixels.size() != split.count() * image)
        {
            throw Error(where + ": " + std::to_string(split.count()) + " labels, " +
                        std::to_string(split.names.size()) + " names and " + std::to_string(split.pixels.size()) +
                        " bytes of images of " + std::to_string(image) + " bytes each do not match");
        }
        require_classes(split.labels, content.class_names.size(), where);
    }
}

void write_split(h5::Group group, const ImageSet& split)
{
    const std::size_t image = split.height * split.width * channels;
    const std::size_t chunk = std::clamp<std::size_t>(chunk_bytes / image, 1, most_chunk_images);
    h5::Dataset labels = group.write<std::int64_t>("labels", split.labels, {split.count()});
    store_checksum(labels, crc32(std::as_bytes(std::span(split.labels))));
    h5::Dataset names = group.write_strings("names", split.names);
    store_checksum(names, crc32(split.names));
    h5::Dataset images =
        group.write<std::uint8_t>("images", split.pixels, {split.count(), split.height, split.width, channels}, chunk);
    store_checksum(images, crc32(std::as_bytes(std::span(split.pixels))));
}

/// As they can be printed: files of other makers may hold any bytes.
std::vector<std::string> read_strings(const h5::Dataset& dataset)
{
    std::vector<std::string> strings = dataset.read<std::string>();
    require_checksum_if_stored(dataset, crc32(strings));
    return printable(std::move(strings));
}

void require_shape(const h5::Dataset& dataset, bool fits, const std::string& wanted)
{
    if (!fits)
    {
        throw Error(dataset.where() + ": must be " + wanted + "; make the file again");
    }
}
}  // namespace

void write_dataset(const std::filesystem::path& path, const DatasetContent& content)
{
    require_whole(path, content);
    h5::File file = h5::File::create(path);
    write_format(file, dataset_format);
    h5::Dataset names = file.write_strings("class_names", content.class_names);
    store_checksum(names, crc32(content.class_names));
    for (const auto& [name, split] : content.splits)
    {
        write_split(file.create_group(name), split);
    }
    file.save();
}

DatasetFile::DatasetFile(const std::filesystem::path& path)
    : path_(path), file_(open_format(path, dataset_format)), class_names_(read_strings(file_.dataset("class_names")))
{
    if (class_names_.empty())
    {
        throw Error(path_.string() + ": has no class names; make the file again");
    }
    const std::vector<std::string> names = file_.group_names();
    if (names.empty())
    {
        throw Error(path_.string() +
                    ": has no split (a group such as train, with labels, names and images); make the "
                    "file again");
    }
    require_labels_held(names);
    for (const std::string& name : names)
    {
        splits_.emplace(name, open_split(name));
    }
}

/// One split may have many names, and each would take memory of its own.
void DatasetFile::require_labels_held(const std::vector<std::string>& splits) const
{
    constexpr std::uint64_t always_granted = std::uint64_t{64} << 20;
    constexpr std::uint64_t most_from_a_byte = 1032;  // what deflate makes of one
    const std::uint64_t most = always_granted + most_from_a_byte * std::filesystem::file_size(path_);
    std::uint64_t bytes = 0;
    for (const std::string& split : splits)
    {
        bytes += file_.group(split).dataset("labels").bytes_in_memory();
        if (bytes > most)
        {
            throw Error(path_.string() + ": the labels of its " + std::to_string(splits.size()) +
                        " splits claim more than the file can hold; make the file again");
        }
    }
}

DatasetFile::Split DatasetFile::open_split(const std::string& name) const
{
    const h5::Group group = file_.group(name);
    Split split;
    const h5::Dataset labels = group.dataset("labels");
    require_shape(labels, labels.shape().size() == 1 && labels.kind() == h5::Kind::integer, "whole numbers [N]");
    split.labels = labels.read<std::int64_t>();
    require_checksum_if_stored(labels, crc32(std::as_bytes(std::span(split.labels))));
    require_classes(split.labels, class_names_.size(), labels.where());
    if (split.labels.empty())
    {
        throw Error(group.where() + ": has no images; leave the split out");
    }

    const std::size_t count = split.labels.size();
    const std::string for_images = "for " + plural(count, "image") + ", as there are labels";
    const h5::Dataset names = group.dataset("names");
    require_shape(names, names.shape() == h5::Shape{count} && names.kind() == h5::Kind::text, "text [N] " + for_images);
    if (group.has_dataset("encoded"))
    {
        const h5::Dataset offsets = group.dataset("offsets");
        require_shape(offsets, offsets.shape() == h5::Shape{count + 1}, "whole numbers [N + 1] " + for_images);
        const h5::Dataset encoded = group.dataset("encoded");
        require_shape(encoded,
                      encoded.shape().size() == 1 && encoded.kind() == h5::Kind::integer &&
                          encoded.element_size() == 1 && encoded.is_unsigned(),
                      "uint8 [bytes]");
        split.encoded = true;
        return split;
    }
    const h5::Dataset images = group.dataset("images");
    const h5::Shape& shape = images.shape();
    const bool bytes = images.kind() == h5::Kind::integer && images.element_size() == 1 && images.is_unsigned();
    require_shape(images, bytes && shape.size() == 4 && shape[0] == count && shape[3] == channels,
                  "uint8 [N, H, W, 3] " + for_images);
    require_shape(images, shape[1] > 0 && shape[2] > 0, "of at least one pixel " + for_images);
    split.height = shape[1];
    split.width = shape[2];
    return split;
}

std::vector<std::string> DatasetFile::split_names() const
{
    std::vector<std::string> names;
    for (const auto& [name, split] : splits_)
    {
        names.push_back(name);
    }
    return names;
}

bool DatasetFile::has_split(std::string_view split) const
{
    return splits_.contains(split);
}

const DatasetFile::Split& DatasetFile::find(std::string_view split) const
{
    const auto found = splits_.find(split);
    if (found == splits_.end())
    {
        std::string there;
        for (const auto& [name, unused] : splits_)
        {
            there += (there.empty() ? "" : ", ") + name;
        }
        throw Error(path_.string() + ": has no split '" + std::string(split) + "'; choose one of: " + there);
    }
    return found->second;
}

const DatasetFile::Split& DatasetFile::find_images(std::string_view split) const
{
    const Split& found = find(split);
    if (found.encoded)
    {
        throw Error(path_.string() + ", split '" + std::string(split) +
                    "': holds encoded images (JPEG, PNG), which have no common size; make the file with all images "
                    "of one size");
    }
    return found;
}

const DatasetFile::Split& DatasetFile::find_encoded(std::string_view split) const
{
    const Split& found = find(split);
    if (!found.encoded)
    {
        throw Error(path_.string() + ", split '" + std::string(split) +
                    "': holds images of one size, not encoded ones (JPEG, PNG); make the file with pack --format "
                    "imagefolder");
    }
    return found;
}

bool DatasetFile::has_part(std::string_view split, const char* name) const
{
    return file_.has_dataset(std::string(split) + "/" + name);
}

h5::Dataset DatasetFile::part(std::string_view split, const char* name) const
{
    return file_.dataset(std::string(split) + "/" + name);
}

std::vector<std::string> DatasetFile::names(std::string_view split) const
{
    find(split);
    return read_strings(part(split, "names"));
}

ImageSet DatasetFile::read(std::string_view split) const
{
    const Split& found = find_images(split);
    const h5::Dataset images = part(split, "images");
    ImageSet set{images.read<std::uint8_t>(), found.height, found.width, found.labels, names(split)};
    require_checksum_if_stored(images, crc32(std::as_bytes(std::span(set.pixels))));
    return set;
}

void DatasetFile::read_images(std::string_view split, std::size_t first, std::size_t count,
                              std::span<std::uint8_t> out) const
{
    find_images(split);
    part(split, "images").read_rows(first, count, out);
}

template <typename T>
std::vector<T> DatasetFile::read_verified(std::string_view split, const char* name, const h5::Shape& shape) const
{
    const h5::Dataset dataset = part(split, name);
    std::string lengths;
    for (const std::size_t length : shape)
    {
        lengths += (lengths.empty() ? "" : ", ") + std::to_string(length);
    }
    require_shape(dataset, dataset.shape() == shape && dataset.kind() == h5::Kind::integer,
                  "whole numbers [" + lengths + "], as there are labels");
    std::vector<T> values = dataset.read<T>();
    require_checksum_if_stored(dataset, crc32(std::as_bytes(std::span(values))));
    return values;
}

std::vector<std::uint64_t> DatasetFile::offsets(std::string_view split) const
{
    const std::size_t count = find_encoded(split).labels.size();
    auto offsets = read_verified<std::uint64_t>(split, "offsets", {count + 1});
    const std::size_t bytes = part(split, "encoded").size();
    if (offsets.front() != 0 || offsets.back() != bytes || !std::is_sorted(offsets.begin(), offsets.end()))
    {
        throw Error(part(split, "offsets").where() + ": must ascend from 0 to " + std::to_string(bytes) +
                    ", the bytes of encoded; make the file again");
    }
    return offsets;
}

std::vector<std::uint32_t> DatasetFile::checksums(std::string_view split) const
{
    const std::size_t count = find_encoded(split).labels.size();
    return has_part(split, "checksums") ? read_verified<std::uint32_t>(split, "checksums", {count})
                                        : std::vector<std::uint32_t>();
}

std::vector<std::uint32_t> DatasetFile::sizes(std::string_view split) const
{
    const std::size_t count = find_encoded(split).labels.size();
    return has_part(split, "sizes") ? read_verified<std::uint32_t>(split, "sizes", {count, 2})
                                    : std::vector<std::uint32_t>();
}

std::vector<std::string> DatasetFile::skipped(std::string_view split) const
{
    find_encoded(split);
    return has_part(split, "skipped") ? read_strings(part(split, "skipped")) : std::vector<std::string>();
}

void DatasetFile::read_encoded(std::string_view split, std::uint64_t first_byte, std::size_t count,
                               std::span<std::uint8_t> out) const
{
    find_encoded(split);
    part(split, "encoded").read_rows(first_byte, count, out);
}

void require_image_checksum(const std::string& where, const std::string& name, std::span<const std::uint8_t> bytes,
                            std::uint32_t checksum)
{
    if (crc32(std::as_bytes(bytes)) != checksum)
    {
        throw Error(where + ": image " + name +
                    " does not match its checksum; the file was damaged or changed since it was packed, use another "
                    "copy or pack it again");
    }
}
}  // namespace paws::io
