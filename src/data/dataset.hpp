#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "src/comm/world.hpp"
#include "src/config/config.hpp"
#include "src/data/images.hpp"

namespace paws::data
{
/// A data set as the tasks see it.
struct Dataset
{
    std::string source;     ///< the file or folder that the user knows
    std::string read_from;  ///< the file or folder that this rank reads: `source`, or a copy on the node's disk
    std::vector<std::string> notes;  ///< what the user should be told, a line each; the same on all ranks
    std::vector<std::string> class_names;
    Images train;
    Images validation;                     ///< empty when it was not asked for
    std::vector<std::int64_t> labelled;    ///< rows of `train` whose labels may be used
    std::vector<std::int64_t> unlabelled;  ///< rows of `train` that training draws views from
    std::vector<std::int64_t> held_out;    ///< rows of `train` that fine-tuning is evaluated on; often none

    std::int64_t classes() const { return static_cast<std::int64_t>(class_names.size()); }
    /// Class of each labelled image, in the order of `labelled`.
    std::vector<std::int64_t> labelled_targets() const;
};

enum class Splits
{
    train,
    train_and_validation,
};

/// Opens what `config.data` names: a packed file (data.file); for the cifar10 data sets the published folder; for
/// imagenet and folder the packed file beside the folder, which all ranks make together when it is not there (see
/// packed_file.hpp); with data.copy_data a copy on the node's own disk. Images of one size that fit into
/// data.cache_gb are read into memory; of others, as many as fit are kept there once they were read, and
/// data.augment_on: device is refused. Synthetic ones are made (synthetic.hpp).
///
/// Collective over the ranks of `world`. Throws, the same on all ranks, ranks::BadInput that names what is missing and
/// what to do.
Dataset load_dataset(const config::Config& config, Splits splits, const comm::World& world = {});
}  // namespace paws::data
