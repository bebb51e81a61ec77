#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace paws::io
{
/// An array of bytes from an IDX file (the format of MNIST and Fashion-MNIST), row-major.
struct IdxArray
{
    std::vector<std::size_t> shape;
    std::vector<std::uint8_t> values;
};

/// Reads an IDX file of unsigned bytes, plain or compressed with gzip. Throws if it is missing, if its header is not
/// that of IDX with unsigned bytes in one to four dimensions, or if it holds fewer or more bytes than its header says.
IdxArray read_idx(const std::filesystem::path& path);
}  // namespace paws::io
