#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "src/tasks/summary.hpp"

namespace paws::tasks
{
/// `paws_hpc pack`: reads a published data set and writes one packed file. format: cifar10, or idx (MNIST's, with the
/// class names of Fashion-MNIST when `class_names` says fashion-mnist, digits otherwise).
struct PackRequest
{
    std::string format;
    std::filesystem::path input;
    std::filesystem::path output;
    std::string class_names = "digits";
};
Summary pack(const PackRequest& request);

/// `paws_hpc subset`: draws the labelled pictures of a packed file's training split, the same number (or share) of
/// every class.
struct SubsetRequest
{
    std::filesystem::path data;
    std::string split = "train";
    std::optional<std::int64_t> per_class;
    std::optional<double> fraction;
    std::uint64_t seed = 0;
    std::filesystem::path output;
};
Summary subset(const SubsetRequest& request);

/// `paws_hpc inspect`: prints what a file holds and whether it is whole.
Summary inspect(const std::filesystem::path& path);
}  // namespace paws::tasks
