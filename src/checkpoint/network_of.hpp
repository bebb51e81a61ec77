#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "io/checkpoint/checkpoint_file.hpp"
#include "src/config/config.hpp"

namespace paws::checkpoint
{
/// The network that weights belong to, as their names and shapes tell.
struct Network
{
    std::string model_name;
    std::int64_t output_dim = 0;  ///< 0: no published projection head (torchvision's networks have none)
    bool use_pred_head = false;
};

/// None if the names or numbers of blocks are of no network of src/nn.
std::optional<Network> network_of(const io::NamedArrays& encoder);

/// "wide_resnet28w2, output_dim 128, no prediction head"
std::string in_words(const Network& network);

/// The settings to evaluate a checkpoint with that has none of its own: its network, and images of the data set that
/// the published runs train such networks on. Throws io::Error, naming `source`, if the network is not known or has no
/// projection head.
config::Config inferred_config(const io::NamedArrays& encoder, const std::string& source);
}  // namespace paws::checkpoint
