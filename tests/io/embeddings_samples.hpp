#pragma once

// Made-up embeddings, of which every number is known.

#include <cmath>
#include <string>
#include <vector>

#include "io/ranks/mpi_call.hpp"
#include "io/results/embeddings_writer.hpp"

namespace paws::test
{
inline io::EmbeddingsSource made_up_source(std::size_t count)
{
    io::EmbeddingsSource source;
    for (std::size_t n = 0; n < count; ++n)
    {
        source.labels.push_back(static_cast<std::int64_t>(n % 3));
        source.index.push_back(static_cast<std::int64_t>(n));
        source.names.push_back("grün/" + std::to_string(n));
    }
    source.checkpoint = "run-latest.h5";
    source.epoch = 12;
    source.checkpoint_config = "b: 2\n";
    source.split = "val";
    source.config = "a: 1\n";
    source.temperature = 0.1;
    return source;
}

/// Exact in float16 as well.
inline float made_up_value(std::size_t column, std::size_t row, std::size_t dimension)
{
    return static_cast<float>((row * 7 + dimension * 13 + column * 5) % 64) / 16.0F - 2.0F;
}

/// The bits of a float16 of a multiple of 1/16 between -2 and 2.
inline io::h5::Half half_of(float value)
{
    if (value == 0)
    {
        return {0};
    }
    int exponent = 0;
    const float fraction = std::frexp(std::fabs(value), &exponent);  // in [0.5, 1)
    const auto mantissa = static_cast<std::uint16_t>((fraction * 2 - 1) * 1024);
    const auto sign = static_cast<std::uint16_t>(value < 0 ? 0x8000 : 0);
    return {static_cast<std::uint16_t>(sign | ((exponent - 1 + 15) << 10) | mantissa)};
}

/// Widths of the real columns of a layout.
inline std::vector<std::size_t> real_widths(const io::EmbeddingsLayout& layout)
{
    std::vector<std::size_t> widths;
    for (const auto& output : layout.outputs)
    {
        widths.push_back(output.dimensions);
    }
    if (layout.classes > 0)
    {
        widths.push_back(layout.classes);
    }
    return widths;
}

/// Rows [first, first + count) of the made-up table, and what they are kept in.
struct MadeUpRows
{
    std::vector<std::vector<float>> floats;
    std::vector<std::vector<io::h5::Half>> halves;
    std::vector<std::int64_t> predicted;
    io::EmbeddingsBlock block;

    MadeUpRows(const io::EmbeddingsLayout& layout, std::size_t first, std::size_t count)
    {
        const auto widths = real_widths(layout);
        floats.resize(widths.size());
        halves.resize(widths.size());
        for (std::size_t column = 0; column < widths.size(); ++column)
        {
            for (std::size_t row = first; row < first + count; ++row)
            {
                for (std::size_t d = 0; d < widths[column]; ++d)
                {
                    floats[column].push_back(made_up_value(column, row, d));
                    halves[column].push_back(half_of(floats[column].back()));
                }
            }
            block.reals.push_back(layout.half ? std::as_bytes(std::span(halves[column]))
                                              : std::as_bytes(std::span(floats[column])));
        }
        for (std::size_t row = first; layout.classes > 0 && row < first + count; ++row)
        {
            predicted.push_back(static_cast<std::int64_t>(row % layout.classes));
        }
        block.rows = count;
        block.predicted = predicted;
    }
    MadeUpRows(const MadeUpRows&) = delete;
    MadeUpRows& operator=(const MadeUpRows&) = delete;
};

/// All ranks give their rows, a few at a time.
inline void write_made_up(io::EmbeddingsWriter& writer, const io::EmbeddingsLayout& layout, MPI_Comm comm,
                          std::size_t rows_at_once = 50)
{
    const ranks::Group ranks(comm);
    std::size_t rounds = 0;
    for (int rank = 0; rank < ranks.size(); ++rank)
    {
        rounds = std::max(rounds, (writer.rows_of(rank).count + rows_at_once - 1) / rows_at_once);
    }
    const auto mine = writer.rows_of(ranks.rank());
    for (std::size_t round = 0; round < rounds; ++round)
    {
        const std::size_t begin = std::min(mine.count, round * rows_at_once);
        const std::size_t end = std::min(mine.count, begin + rows_at_once);
        const MadeUpRows rows(layout, mine.first + begin, end - begin);
        writer.write(rows.block);
    }
}

inline void write_made_up(const std::filesystem::path& path, std::size_t count, const io::EmbeddingsLayout& layout,
                          MPI_Comm comm)
{
    io::EmbeddingsWriter writer(path, made_up_source(count), layout, ranks::Group(comm));
    write_made_up(writer, layout, comm);
    writer.finish();
}
}  // namespace paws::test
