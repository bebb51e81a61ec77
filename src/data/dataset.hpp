#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <string>
#include <vector>

#include "src/config/config.hpp"

namespace paws::data
{
/// The pictures of one split, resident in host memory.
struct Pictures
{
    torch::Tensor pixels;              ///< uint8 [P, H, W, 3]
    std::vector<std::int64_t> labels;  ///< [P]
    std::vector<std::string> names;    ///< [P]

    std::int64_t count() const { return pixels.size(0); }
    std::int64_t height() const { return pixels.size(1); }
    std::int64_t width() const { return pixels.size(2); }
};

/// A data set as the tasks see it.
struct Dataset
{
    std::string source;  ///< the file or folder it came from
    std::vector<std::string> class_names;
    Pictures train;
    Pictures validation;                   ///< empty (undefined pixels) when it was not asked for
    std::vector<std::int64_t> labelled;    ///< rows of `train` whose labels may be used
    std::vector<std::int64_t> unlabelled;  ///< rows of `train` that training draws views from

    std::int64_t classes() const { return static_cast<std::int64_t>(class_names.size()); }
    /// Class of each labelled picture, in the order of `labelled`.
    std::vector<std::int64_t> labelled_targets() const;
};

enum class Splits
{
    train,
    train_and_validation,
};

/// Reads what `config.data` names: a packed file (data.file), or for the cifar10 data sets the published folder.
/// Throws io::Error or config::Error that names what is missing and what to do.
Dataset load_dataset(const config::Config& config, Splits splits);
}  // namespace paws::data
