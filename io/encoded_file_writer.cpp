#include "io/encoded_file_writer.hpp"

#include <fcntl.h>

#include <algorithm>

#include "io/checksum.hpp"
#include "io/dataset_file.hpp"
#include "io/descriptor.hpp"
#include "io/error.hpp"
#include "io/format.hpp"
#include "io/local_copy.hpp"

namespace paws::io
{
namespace
{
namespace fs = std::filesystem;

constexpr std::size_t piece_bytes = std::size_t{16} << 20;

template <typename T>
void write_with_checksum(h5::Group& group, const std::string& name, const std::vector<T>& values)
{
    h5::Dataset dataset = group.write<T>(name, values, {values.size()});
    store_checksum(dataset, crc32(std::as_bytes(std::span(values))));
}

void write_with_checksum(h5::Group& group, const std::string& name, const std::vector<std::string>& values)
{
    h5::Dataset dataset = group.write_strings(name, values);
    store_checksum(dataset, crc32(values));
}

/// The parts of a split that are known before its pictures are, and places for the others.
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

void require_space(const fs::path& path, const fs::path& folder, std::uint64_t bytes)
{
    const std::uint64_t free = free_space(folder);
    if (free < bytes)
    {
        throw Error(path.string() + ": will have " + size_in_words(bytes) + ", '" + folder.string() + "' has " +
                    size_in_words(free) + " free; free some space or name another folder");
    }
}

/// CRC-32 of `length` bytes of a file from `place` on. Throws if there are fewer.
std::uint32_t sum_of(Descriptor& file, const fs::path& path, std::uint64_t place, std::uint64_t length)
{
    std::vector<std::byte> piece(std::min<std::uint64_t>(length, piece_bytes));
    std::uint32_t sum = 0;
    file.seek(place);
    for (std::uint64_t left = length; left > 0;)
    {
        const std::span part(piece.data(), std::min<std::uint64_t>(left, piece.size()));
        if (file.read(part) != part.size())
        {
            throw SystemError(path.string(), "the file is shorter than what was written");
        }
        sum = crc32(part, sum);
        left -= part.size();
    }
    return sum;
}

[[noreturn]] void refuse_disk(const fs::path& path)
{
    throw SystemError(path.string(), "the disk gives back other bytes than were written to it");
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

/// RankGroup::together for what writes: says what to do if that fails.
template <typename Action>
void EncodedFileWriter::write_together(Action action) const
{
    ranks_.together(
        [&]
        {
            try
            {
                action();
            }
            catch (const SystemError& error)
            {
                refuse_write(path_, error);
            }
        });
}

EncodedFileWriter::EncodedFileWriter(std::filesystem::path path, const std::vector<std::string>& class_names,
                                     const std::vector<Split>& splits, const RankGroup& ranks)
    : path_(std::move(path)), ranks_(ranks)
{
    ranks_.together(
        [&]
        {
            if (ranks_.is_first())
            {
                make_skeleton(class_names, splits);
            }
        });
    temporary_ = ranks_.broadcast(temporary_.string());
    write_together([&] { open_skeleton(splits); });
}

void EncodedFileWriter::make_skeleton(const std::vector<std::string>& class_names, const std::vector<Split>& splits)
{
    h5::File file = h5::File::create(path_);
    write_format(file, dataset_format);
    write_with_checksum(file, "class_names", class_names);
    std::uint64_t bytes = 0;
    for (const Split& split : splits)
    {
        write_known_parts(file.create_group(split.name), split);
        bytes += split.bytes;
    }
    const std::string_view image = file.image();
    bytes += image.size();
    target_.emplace(path_);
    temporary_ = target_->temporary();
    require_space(path_, target_->folder(), bytes);
    try
    {
        Descriptor out(temporary_, O_WRONLY);
        out.write(image);
        out.allocate(bytes);
        out.sync();
        out.close();
    }
    catch (const SystemError& error)
    {
        refuse_write(path_, error);
    }
}

void EncodedFileWriter::open_skeleton(const std::vector<Split>& splits)
{
    file_.emplace(h5::File::open_together(temporary_, ranks_.comm()));
    for (const Split& split : splits)
    {
        names_.push_back(split.name);
        splits_.push_back({file_->dataset(split.name + "/encoded"), file_->dataset(split.name + "/checksums"),
                           file_->dataset(split.name + "/sizes")});
    }
    // The places that were just given to the encoded pictures: the last change to the structure.
    file_->flush();
}

void EncodedFileWriter::write(std::size_t split, std::uint64_t first_byte, std::span<const std::uint8_t> bytes)
{
    h5::Dataset& encoded = splits_.at(split).encoded;
    write_together([&] { encoded.write_rows_together(first_byte, bytes.size(), bytes); });
    if (!bytes.empty())
    {
        blocks_.push_back({encoded.place_in_file() + first_byte, bytes.size(), crc32(std::as_bytes(bytes))});
    }
}

void EncodedFileWriter::finish(const std::vector<Result>& results)
{
    for (std::size_t i = 0; i < splits_.size(); ++i)
    {
        const Result none;
        const Result& result = ranks_.is_first() ? results.at(i) : none;
        write_together(
            [&]
            {
                splits_[i].checksums.write_rows_together<std::uint32_t>(0, result.checksums.size(), result.checksums);
                splits_[i].sizes.write_rows_together<std::uint32_t>(0, result.sizes.size() / 2, result.sizes);
            });
    }
    write_together([&] { file_->flush(); });
    splits_.clear();
    file_.reset();
    write_together([&] { Descriptor(temporary_, O_RDONLY).sync(); });
    write_together([&] { verify_own_blocks(); });
    const auto blocks_of_ranks = ranks_.gather(blocks_);
    write_together(
        [&]
        {
            if (ranks_.is_first())
            {
                const std::string last_bytes = make_seal(seal_of(blocks_of_ranks));
                Descriptor out(temporary_, O_WRONLY | O_APPEND);
                out.write(last_bytes);
                out.close();
                require_results(DatasetFile(temporary_), names_, results);
                target_->commit();
            }
        });
}

void EncodedFileWriter::verify_own_blocks() const
{
    Descriptor file(temporary_, O_RDONLY);
    for (const Block& block : blocks_)
    {
        if (sum_of(file, temporary_, block.place, block.length) != block.checksum)
        {
            refuse_disk(temporary_);
        }
    }
}

/// The CRC-32 of the whole file from those of the blocks; only what lies between them is read.
Seal EncodedFileWriter::seal_of(const std::vector<std::vector<Block>>& blocks_of_ranks) const
{
    std::vector<Block> blocks;
    for (const std::vector<Block>& some : blocks_of_ranks)
    {
        blocks.insert(blocks.end(), some.begin(), some.end());
    }
    std::sort(blocks.begin(), blocks.end(), [](const Block& a, const Block& b) { return a.place < b.place; });
    Descriptor file(temporary_, O_RDONLY);
    Seal seal;
    const auto add_until = [&](std::uint64_t end)
    {
        seal.checksum =
            join_crc32(seal.checksum, sum_of(file, temporary_, seal.length, end - seal.length), end - seal.length);
        seal.length = end;
    };
    for (const Block& block : blocks)
    {
        add_until(block.place);
        seal.checksum = join_crc32(seal.checksum, block.checksum, block.length);
        seal.length += block.length;
    }
    add_until(fs::file_size(temporary_));
    return seal;
}
}  // namespace paws::io
