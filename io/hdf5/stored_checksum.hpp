#pragma once

// The CRC-32 that a data set or group has as an attribute.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "io/files/checksum.hpp"
#include "io/hdf5/h5.hpp"

namespace paws::io
{
/// The attribute of a data set or group that holds the CRC-32 of its contents.
inline const std::string checksum_attribute = "crc32";

void store_checksum(h5::Object& object, std::uint32_t checksum);

/// A new data set of one dimension, with its checksum.
template <typename T>
void write_with_checksum(h5::Group& group, const std::string& name, const std::vector<T>& values)
{
    h5::Dataset dataset = group.write<T>(name, values, {values.size()});
    store_checksum(dataset, crc32(std::as_bytes(std::span(values))));
}
void write_with_checksum(h5::Group& group, const std::string& name, const std::vector<std::string>& values);

/// CRC-32 of the rows [first, first + count) of a data set of T, which are held `rows_at_once` at a time.
template <typename T>
std::uint32_t crc32_of_rows(const h5::Dataset& dataset, std::size_t first, std::size_t count, std::size_t rows_at_once)
{
    const std::size_t rows = dataset.shape().at(0);
    const std::size_t width = rows == 0 ? 0 : dataset.size() / rows;
    std::vector<T> piece;
    std::uint32_t sum = 0;
    for (std::size_t done = 0; done < count; done += piece.size() / width)
    {
        piece.resize(std::min(rows_at_once, count - done) * width);
        dataset.read_rows(first + done, piece.size() / width, std::span(piece));
        sum = crc32(std::as_bytes(std::span(piece)), sum);
    }
    return sum;
}

/// Throws if the stored checksum is another.
void require_checksum(const h5::Object& object, std::uint32_t checksum);

/// The same, but contents without a stored checksum pass: users make data sets with other programs.
void require_checksum_if_stored(const h5::Object& object, std::uint32_t checksum);
}  // namespace paws::io
