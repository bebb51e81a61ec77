#pragma once

#include <memory>
#include <string>
#include <vector>

#include "src/config/config.hpp"
#include "src/data/dataset.hpp"
#include "src/nn/encoder.hpp"

namespace paws::checkpoint
{
/// The network that the configuration describes, with random weights from LibTorch's default generator: backbone and
/// heads or, for fine_tune, backbone and classifier of data.num_classes. Throws std::invalid_argument.
std::shared_ptr<nn::Encoder> new_network(const config::Config& config);

/// The configuration with the number of classes that fine_tune's classifier has; that of other tasks as it is.
config::Config with_classes_of(config::Config config, const data::Dataset& dataset);

/// "resnet50, output 2048, with prediction head", "resnet50, 1000 classes".
std::string describe_network(const config::Config& config);

struct StartingNetwork
{
    std::shared_ptr<nn::Encoder> encoder;
    std::vector<std::string> notes;  ///< what the user should know of the checkpoint, a line each
};

/// The network that a run begins with. Random weights are drawn from meta.seed. Over them go, if the configuration
/// names a checkpoint: the backbone of meta.init_backbone; all of logging.pretrain_path (snn_fine_tune); its backbone
/// and the first layer of its projection head (fine_tune, whose new layer is zero where optimization.zero_init says
/// so). Throws io::Error that says what is wrong with the checkpoint, or which networks do not fit together.
StartingNetwork starting_network(const config::Config& config);
}  // namespace paws::checkpoint
