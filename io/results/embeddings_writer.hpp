#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "io/hdf5/collective_file.hpp"
#include "io/ranks/group.hpp"
#include "io/results/embeddings_file.hpp"

namespace paws::io
{
/// What a `paws-embeddings` file holds, and how. The same on all ranks.
struct EmbeddingsLayout
{
    struct Output
    {
        std::string name;
        std::size_t dimensions = 0;
    };
    std::vector<Output> outputs;  ///< at least one
    std::size_t classes = 0;      ///< K of `probabilities`; 0: neither these nor `predicted`
    bool half = false;            ///< real numbers are float16, else float32
    int compression = 0;          ///< level of deflate, 1 to 9; 0: none
    std::size_t chunk_rows = 0;   ///< rows of a chunk; 0: chosen where there is compression, else no chunks
};

/// Rows of all outputs, on their way to the file.
struct EmbeddingsBlock
{
    std::size_t rows = 0;
    /// [rows, D] of every output, and last, if there are classes, the probabilities [rows, K]: float, or h5::Half where
    /// the layout says half.
    std::vector<std::span<const std::byte>> reals;
    std::span<const std::int64_t> predicted;  ///< [rows], if there are classes
};

/// Writes a `paws-embeddings` file by all ranks together, atomically, each its rows, without more of them in memory
/// than a block and a chunk. The content is the same on any number of ranks; without compression, the bytes are too.
///
///     EmbeddingsWriter writer(path, source, layout, ranks);
///     ... writer.write(block) on every rank, as often as the rank with the most blocks needs
///     writer.finish();
///
/// While a compressed file is being written, it takes the space of one without compression.
/// Every function is collective and throws the same on every rank (see ranks::agreed); the file is then not there, or
/// what it was.
class EmbeddingsWriter
{
public:
    EmbeddingsWriter(const std::filesystem::path& path, const EmbeddingsSource& source, EmbeddingsLayout layout,
                     const ranks::Group& ranks);

    struct Rows
    {
        std::size_t first = 0;
        std::size_t count = 0;
    };
    /// The rows that a rank writes: one piece, which no chunk is shared with; none where there are few chunks. Not
    /// collective.
    Rows rows_of(int rank) const;

    /// The next rows of this rank; a rank that has none left gives none.
    void write(const EmbeddingsBlock& block);

    /// Throws if rows are missing.
    void finish();

private:
    enum class Type
    {
        float32,
        float16,
        int64
    };
    /// A data set that all ranks write.
    struct Column
    {
        std::string name;
        std::size_t width = 1;
        Type type = Type::float32;
        bool in_chunks = false;
        std::optional<h5::Dataset> dataset = {};  // while the file is open
        std::vector<std::byte> waiting = {};      // rows of a chunk that is not full yet
        std::uint32_t checksum = 0;               // of this rank's rows

        std::size_t row_bytes() const;
    };

    std::uint64_t make(h5::File& file, const EmbeddingsSource& source) const;
    void require_block(const EmbeddingsBlock& block) const;
    void write_rows(Column& column, std::size_t rows);
    std::vector<std::uint32_t> checksums_of_all() const;
    void verify_chunks() const;

    EmbeddingsLayout layout_;
    std::size_t count_;
    std::size_t chunk_rows_;  // 0: no chunks
    Rows mine_;
    std::size_t given_ = 0;    // rows that this rank was handed
    std::size_t written_ = 0;  // and wrote
    CollectiveFile file_;
    std::vector<Column> columns_;  // closed before the file is
};
}  // namespace paws::io
