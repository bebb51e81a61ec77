#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace paws::io
{
/// One file of CIFAR-10: as many images as it holds.
struct Cifar10Batch
{
    std::vector<std::uint8_t> pixels;  ///< [N, 32, 32, 3]
    std::vector<std::int64_t> labels;  ///< [N]
    std::vector<std::string> names;    ///< [N], or empty where the file has none
};

inline constexpr std::size_t cifar10_side = 32;

/// Reads a batch of the version for Python (data_batch_1, test_batch): a pickle of a dict of data uint8 [N, 3072],
/// labels, and perhaps filenames. Nothing in it is executed. Throws if it is anything else.
Cifar10Batch read_cifar10_pickle(const std::filesystem::path& path);

/// The names of the classes from the version for Python (batches.meta).
std::vector<std::string> read_cifar10_pickled_classes(const std::filesystem::path& path);

/// Reads a batch of the binary version (data_batch_1.bin, test_batch.bin): records of a label and 3072 bytes.
/// Throws if it is missing, empty or no whole number of records.
Cifar10Batch read_cifar10_binary(const std::filesystem::path& path);

/// The names of the classes from the binary version (batches.meta.txt): one a line.
std::vector<std::string> read_cifar10_text_classes(const std::filesystem::path& path);
}  // namespace paws::io
