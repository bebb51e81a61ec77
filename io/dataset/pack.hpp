#pragma once

// Reads published data sets from the folders that they come in.

#include <filesystem>
#include <string>
#include <vector>

#include "io/dataset/dataset_file.hpp"

namespace paws::io
{
/// "0" to "9": MNIST's classes.
std::vector<std::string> digit_class_names();
/// Those of Fashion-MNIST.
std::vector<std::string> fashion_mnist_class_names();

/// Reads train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, each
/// plain or with .gz, as the splits `train` and `val`. Grey becomes RGB; images of 28×28 get two black pixels on each
/// side. Throws, naming it, for a file that is missing or damaged, or a label without a class name.
DatasetContent read_idx_folder(const std::filesystem::path& folder,
                               const std::vector<std::string>& class_names = digit_class_names());

/// Reads CIFAR-10's five training batches and its test batch as the splits `train` and `val`, in the version for Python
/// (data_batch_1, ...) or the binary one (data_batch_1.bin, ...), whichever is there; also from the folder above it.
/// Throws, naming it, for a file that is missing or damaged, or a label without a class name.
DatasetContent read_cifar10_folder(const std::filesystem::path& folder);
}  // namespace paws::io
