#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "io/ranks/group.hpp"
#include "src/commands/summary.hpp"

namespace paws::commands
{
/// `paws_hpc pack`: reads a published data set and writes one packed file. format: cifar10; idx (MNIST's, with the
/// class names of Fashion-MNIST when `class_names` says fashion-mnist, digits otherwise); or imagefolder, for which see
/// io::FolderPackRequest.
struct PackRequest
{
    std::string format;
    std::filesystem::path input;
    std::filesystem::path output;
    std::string class_names;
    std::optional<std::int64_t> shorter_side;
    std::optional<std::filesystem::path> val_list;
    bool skip_broken = false;
};
/// Collective; only imagefolder is packed by several ranks. Throws config::Error for options that the
/// format does not have.
Summary pack(const PackRequest& request, const ranks::Group& ranks);

/// `paws_hpc subset`: draws the labelled images of a packed file's training split, the same number (or share) of
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
}  // namespace paws::commands
