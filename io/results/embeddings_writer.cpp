#include "io/results/embeddings_writer.hpp"

#include <algorithm>

#include "io/base/error.hpp"
#include "io/files/checksum.hpp"
#include "io/hdf5/format.hpp"
#include "io/hdf5/stored_checksum.hpp"
#include "io/ranks/agreed.hpp"

namespace paws::io
{
namespace
{
/// Chunks that are read quickly in pieces and compressed well, and that leave many ranks a share of few images.
constexpr std::size_t chunk_bytes = std::size_t{1} << 20;
constexpr std::size_t least_chunk_rows = 16;
constexpr std::size_t most_chunk_rows = 256;
/// HDF5 counts the bytes of a chunk in 32 bits.
constexpr std::uint64_t chunk_limit = std::uint64_t{1} << 32;
/// More than HDF5 takes to find a chunk, and for the nodes of its trees.
constexpr std::uint64_t index_bytes_of_chunk = 256;
constexpr std::uint64_t index_bytes = 1 << 16;

void require_lengths(const std::filesystem::path& path, const EmbeddingsSource& source)
{
    if (source.count() == 0)
    {
        throw Error(path.string() + ": there are no images to embed; name another split");
    }
    if (source.index.size() != source.count() || source.names.size() != source.count())
    {
        throw Error(path.string() + ": " + std::to_string(source.count()) + " labels, " +
                    std::to_string(source.index.size()) + " positions and " + std::to_string(source.names.size()) +
                    " names do not match");
    }
}

/// 0: no chunks.
std::size_t chunk_rows_of(const std::filesystem::path& path, const EmbeddingsLayout& layout, std::size_t count)
{
    std::size_t widest = layout.classes;
    for (const EmbeddingsLayout::Output& output : layout.outputs)
    {
        widest = std::max(widest, output.dimensions);
    }
    const std::size_t row_bytes = widest * (layout.half ? sizeof(h5::Half) : sizeof(float));
    if (layout.chunk_rows == 0)
    {
        const std::size_t rows = std::clamp(chunk_bytes / row_bytes, least_chunk_rows, most_chunk_rows);
        return layout.compression == 0 ? 0 : std::min(rows, count);
    }
    const std::size_t rows = std::min(layout.chunk_rows, count);
    if (rows * row_bytes >= chunk_limit)
    {
        throw Error(path.string() + ": chunks of " + std::to_string(layout.chunk_rows) + " rows have " +
                    std::to_string(rows * row_bytes) +
                    " bytes, HDF5 takes less than 4 GiB; lower embed.chunk_rows (--chunk-rows)");
    }
    return rows;
}

template <typename T>
std::span<const T> as_numbers(const std::vector<std::byte>& bytes, std::size_t count)
{
    return {reinterpret_cast<const T*>(bytes.data()), count};
}
}  // namespace

std::size_t EmbeddingsWriter::Column::row_bytes() const
{
    switch (type)
    {
        case Type::float16:
            return width * sizeof(h5::Half);
        case Type::float32:
            return width * sizeof(float);
        default:
            return width * sizeof(std::int64_t);
    }
}

EmbeddingsWriter::EmbeddingsWriter(const std::filesystem::path& path, const EmbeddingsSource& source,
                                   EmbeddingsLayout layout, const ranks::Group& ranks)
    : layout_(std::move(layout)), count_(source.count()), chunk_rows_(0), file_(path, ranks)
{
    agreed(ranks,
           [&]
           {
               require_lengths(path, source);
               chunk_rows_ = chunk_rows_of(path, layout_, count_);
           });
    mine_ = rows_of(ranks.rank());
    const Type real = layout_.half ? Type::float16 : Type::float32;
    for (const EmbeddingsLayout::Output& output : layout_.outputs)
    {
        columns_.push_back({output.name, output.dimensions, real, chunk_rows_ > 0});
    }
    if (layout_.classes > 0)
    {
        columns_.push_back({"probabilities", layout_.classes, real, chunk_rows_ > 0});
        columns_.push_back({"predicted", 1, Type::int64, false});
    }
    file_.begin([&](h5::File& file) { return make(file, source); });
    file_.agreed(
        [&]
        {
            for (Column& column : columns_)
            {
                column.dataset = file_.hdf5().dataset(column.name);
            }
        });
    // The places that data sets without compression were just given.
    file_.together([&] { file_.hdf5().flush(); });
}

EmbeddingsWriter::Rows EmbeddingsWriter::rows_of(int rank) const
{
    const std::size_t unit = std::max<std::size_t>(1, chunk_rows_);
    const std::size_t units = (count_ + unit - 1) / unit;
    const auto ranks = static_cast<std::size_t>(file_.ranks().size());
    const auto begin = [&](std::size_t of) { return std::min(count_, units * of / ranks * unit); };
    const std::size_t first = begin(static_cast<std::size_t>(rank));
    return {first, begin(static_cast<std::size_t>(rank) + 1) - first};
}

/// The file but for the columns, and the bytes that they can take.
std::uint64_t EmbeddingsWriter::make(h5::File& file, const EmbeddingsSource& source) const
{
    write_format(file, embeddings_format);
    file.set_attribute("checkpoint", source.checkpoint);
    file.set_attribute("epoch", source.epoch);
    file.set_attribute("checkpoint_config", source.checkpoint_config);
    file.set_attribute("split", source.split);
    file.set_attribute("config", source.config);
    file.set_attribute("temperature", source.temperature);
    std::vector<std::string> outputs;
    for (const EmbeddingsLayout::Output& output : layout_.outputs)
    {
        outputs.push_back(output.name);
    }
    file.set_attribute_array("outputs", outputs);
    write_with_checksum(file, "labels", source.labels);
    write_with_checksum(file, "index", source.index);
    write_with_checksum(file, "names", source.names);

    std::uint64_t bytes = chunk_rows_ > 0 ? index_bytes : 0;
    for (const Column& column : columns_)
    {
        const h5::Shape shape = column.type == Type::int64 ? h5::Shape{count_} : h5::Shape{count_, column.width};
        const std::size_t chunk = column.in_chunks ? chunk_rows_ : 0;
        const std::size_t chunks = chunk == 0 ? 0 : (count_ + chunk - 1) / chunk;
        h5::Dataset made = column.type == Type::int64 ? file.create_dataset<std::int64_t>(column.name, shape)
                           : layout_.half
                               ? file.create_dataset<h5::Half>(column.name, shape, chunk, layout_.compression)
                               : file.create_dataset<float>(column.name, shape, chunk, layout_.compression);
        store_checksum(made, 0);
        bytes += (chunk == 0 ? count_ : chunks * chunk) * column.row_bytes() + chunks * index_bytes_of_chunk;
    }
    file.link(outputs.front(), "embeddings");
    return bytes;
}

void EmbeddingsWriter::require_block(const EmbeddingsBlock& block) const
{
    const bool fits = given_ + block.rows <= mine_.count &&
                      block.reals.size() + (layout_.classes > 0 ? 1 : 0) == columns_.size() &&
                      block.predicted.size() == (layout_.classes > 0 ? block.rows : 0);
    for (std::size_t i = 0; fits && i < block.reals.size(); ++i)
    {
        if (block.reals[i].size() != block.rows * columns_[i].row_bytes())
        {
            throw Error(columns_[i].name + ": " + std::to_string(block.reals[i].size()) + " bytes given for " +
                        std::to_string(block.rows) + " rows");
        }
    }
    if (!fits)
    {
        throw Error("embeddings: a block of " + std::to_string(block.rows) + " rows does not fit after " +
                    std::to_string(given_) + " of " + std::to_string(mine_.count));
    }
}

void EmbeddingsWriter::write(const EmbeddingsBlock& block)
{
    agreed(file_.ranks(), [&] { require_block(block); });
    given_ += block.rows;
    const std::size_t unit = std::max<std::size_t>(1, chunk_rows_);
    const std::size_t waiting = given_ - written_;
    const std::size_t rows = given_ == mine_.count ? waiting : waiting / unit * unit;
    for (std::size_t i = 0; i < columns_.size(); ++i)
    {
        const auto bytes = i < block.reals.size() ? block.reals[i] : std::as_bytes(block.predicted);
        columns_[i].waiting.insert(columns_[i].waiting.end(), bytes.begin(), bytes.end());
        write_rows(columns_[i], rows);
    }
    written_ += rows;
}

/// The first rows of those that wait.
void EmbeddingsWriter::write_rows(Column& column, std::size_t rows)
{
    const std::size_t bytes = rows * column.row_bytes();
    const std::size_t first = mine_.first + written_;
    h5::Dataset& dataset = *column.dataset;
    const std::size_t numbers = rows * column.width;
    file_.together(
        [&]
        {
            switch (column.type)
            {
                case Type::float16:
                    return dataset.write_rows_together(first, rows, as_numbers<h5::Half>(column.waiting, numbers));
                case Type::float32:
                    return dataset.write_rows_together(first, rows, as_numbers<float>(column.waiting, numbers));
                case Type::int64:
                    return dataset.write_rows_together(first, rows, as_numbers<std::int64_t>(column.waiting, numbers));
            }
        });
    if (rows == 0)
    {
        return;
    }
    const std::uint32_t sum = crc32({column.waiting.data(), bytes});
    column.checksum = join_crc32(column.checksum, sum, bytes);
    if (!column.in_chunks)
    {
        file_.wrote({dataset.place_in_file() + first * column.row_bytes(), bytes, sum});
    }
    column.waiting.erase(column.waiting.begin(), column.waiting.begin() + static_cast<std::ptrdiff_t>(bytes));
}

/// Of each column, on every rank.
std::vector<std::uint32_t> EmbeddingsWriter::checksums_of_all() const
{
    std::vector<std::uint32_t> sums;
    for (const Column& column : columns_)
    {
        sums.push_back(column.checksum);
    }
    const auto of_ranks = file_.ranks().gather(sums);
    std::fill(sums.begin(), sums.end(), 0);
    for (std::size_t rank = 0; rank < of_ranks.size(); ++rank)
    {
        for (std::size_t i = 0; i < columns_.size(); ++i)
        {
            const std::size_t bytes = rows_of(static_cast<int>(rank)).count * columns_[i].row_bytes();
            sums[i] = join_crc32(sums[i], of_ranks[rank][i], bytes);
        }
    }
    file_.ranks().share(sums);
    return sums;
}

/// What this rank wrote in chunks, read again.
void EmbeddingsWriter::verify_chunks() const
{
    const h5::File file = h5::File::open_unsealed(file_.temporary());
    for (const Column& column : columns_)
    {
        if (!column.in_chunks)
        {
            continue;
        }
        const h5::Dataset dataset = file.dataset(column.name);
        const std::uint32_t sum = column.type == Type::float16
                                      ? crc32_of_rows<h5::Half>(dataset, mine_.first, mine_.count, chunk_rows_)
                                      : crc32_of_rows<float>(dataset, mine_.first, mine_.count, chunk_rows_);
        if (sum != column.checksum)
        {
            refuse_disk(file_.temporary());
        }
    }
}

void EmbeddingsWriter::finish()
{
    agreed(file_.ranks(),
           [&]
           {
               if (given_ != mine_.count)
               {
                   throw Error("embeddings: " + std::to_string(given_) + " of " + std::to_string(mine_.count) +
                               " rows were given");
               }
           });
    const auto sums = checksums_of_all();
    file_.agreed(
        [&]
        {
            for (std::size_t i = 0; i < columns_.size(); ++i)
            {
                columns_[i].dataset->update_attribute(checksum_attribute, sums[i]);
            }
        });
    for (Column& column : columns_)
    {
        column.dataset.reset();
    }
    file_.close();
    file_.agreed([&] { verify_chunks(); });
    file_.finish(
        [&](const std::filesystem::path& temporary)
        {
            const h5::File file = h5::File::open(temporary);
            for (std::size_t i = 0; i < columns_.size(); ++i)
            {
                require_checksum(file.dataset(columns_[i].name), sums[i]);
            }
        });
}
}  // namespace paws::io
