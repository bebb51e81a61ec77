#include "io/dataset/encoded_file_writer.hpp"

#include "io/base/error.hpp"
#include "io/dataset/dataset_file.hpp"
#include "io/files/checksum.hpp"
#include "io/hdf5/format.hpp"
#include "io/hdf5/stored_checksum.hpp"

namespace paws::io
{
namespace
{
namespace fs = std::filesystem;

/// The parts of a split that are known before its images are, and places for the others.
void write_known_parts(h5::Group group, const EncodedFileWriter::Split& split)
{
    const std::size_t count = split.labels.size();
    write_with_checksum(group, "labels", split.labels);
    write_with_checksum(group, "names", split.names);
    write_with_checksum(group, "offsets", split.offsets);
    group.write<std::uint32_t>("checksums", std::vector<std::uint32_t>(count), {count});
    group.write<std::uint32_t>("sizes", std::vector<std::uint32_t>(count * 2), {count, 2});
    if (!split.skipped.empty())
    {
        write_with_checksum(group, "skipped", split.skipped);
    }
    group.create_dataset<std::uint8_t>("encoded", {split.bytes});
}

/// Throws if a file does not give back what was written last.
void require_results(const DatasetFile& file, std::span<const std::string> splits,
                     std::span<const EncodedFileWriter::Result> results)
{
    for (std::size_t i = 0; i < splits.size(); ++i)
    {
        if (file.checksums(splits[i]) != results[i].checksums || file.sizes(splits[i]) != results[i].sizes)
        {
            refuse_disk(file.path());
        }
    }
}
}  // namespace

EncodedFileWriter::EncodedFileWriter(const std::filesystem::path& path, const std::vector<std::string>& class_names,
                                     const std::vector<Split>& splits, const ranks::Group& ranks)
    : file_(path, ranks)
{
    file_.begin(
        [&](h5::File& file)
        {
            write_format(file, dataset_format);
            write_with_checksum(file, "class_names", class_names);
            std::uint64_t bytes = 0;
            for (const Split& split : splits)
            {
                write_known_parts(file.create_group(split.name), split);
                bytes += split.bytes;
            }
            return bytes;
        });
    file_.agreed([&] { open_skeleton(splits); });
    // The places that were just given to the encoded images: the last change to the structure.
    file_.together([&] { file_.hdf5().flush(); });
}

void EncodedFileWriter::open_skeleton(const std::vector<Split>& splits)
{
    const h5::File& file = file_.hdf5();
    for (const Split& split : splits)
    {
        names_.push_back(split.name);
        splits_.push_back({file.dataset(split.name + "/encoded"), file.dataset(split.name + "/checksums"),
                           file.dataset(split.name + "/sizes")});
    }
}

void EncodedFileWriter::write(std::size_t split, std::uint64_t first_byte, std::span<const std::uint8_t> bytes)
{
    h5::Dataset& encoded = splits_.at(split).encoded;
    file_.together([&] { encoded.write_rows_together(first_byte, bytes.size(), bytes); });
    if (!bytes.empty())
    {
        file_.wrote({encoded.place_in_file() + first_byte, bytes.size(), crc32(std::as_bytes(bytes))});
    }
}

void EncodedFileWriter::finish(const std::vector<Result>& results)
{
    for (std::size_t i = 0; i < splits_.size(); ++i)
    {
        const Result none;
        const Result& result = file_.ranks().is_first() ? results.at(i) : none;
        const auto write = [&](h5::Dataset& dataset, const std::vector<std::uint32_t>& numbers, std::size_t rows)
        { file_.together([&] { dataset.write_rows_together<std::uint32_t>(0, rows, numbers); }); };
        write(splits_[i].checksums, result.checksums, result.checksums.size());
        write(splits_[i].sizes, result.sizes, result.sizes.size() / 2);
    }
    splits_.clear();
    file_.close();
    file_.finish([&](const fs::path& temporary) { require_results(DatasetFile(temporary), names_, results); });
}
}  // namespace paws::io
