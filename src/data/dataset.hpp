#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "src/config/config.hpp"
#include "src/data/pictures.hpp"

namespace paws::data
{
/// A data set as the tasks see it.
struct Dataset
{
    std::string source;  ///< the file or folder it came from
    std::vector<std::string> class_names;
    Pictures train;
    Pictures validation;                   ///< empty when it was not asked for
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

/// Opens what `config.data` names: a packed file (data.file), for the cifar10 data sets the published folder, and for
/// imagenet and folder the packed file beside the folder, which is made when it is not there. Pictures of one size that
/// fit into data.cache_gb are read into memory. Throws io::Error or config::Error that names what is missing and what
/// to do.
Dataset load_dataset(const config::Config& config, Splits splits);
}  // namespace paws::data
