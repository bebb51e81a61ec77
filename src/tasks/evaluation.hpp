#pragma once

#include <filesystem>
#include <string>

#include "src/comm/communicator.hpp"
#include "src/config/config.hpp"
#include "src/data/dataset.hpp"
#include "src/loss/snn_classifier.hpp"
#include "src/nn/encoder.hpp"
#include "src/nn/precision.hpp"
#include "src/tasks/summary.hpp"

namespace paws::tasks
{
/// The encoder's output that criterion.embedding names.
nn::Embedding embedding_of(const config::Config& config);

/// Soft nearest neighbours: the validation pictures against the labelled training pictures, both as the encoder embeds
/// them. Ranks share both out among them, and all get the result.
loss::Accuracy snn_accuracy(nn::Encoder& encoder, const data::Dataset& dataset, const config::Config& config,
                            nn::Precision precision, comm::Communicator& communicator);

/// The configuration of the run that wrote `checkpoint`: what `snn-eval` and `embed` start from.
config::Config config_of_checkpoint(const std::filesystem::path& checkpoint);

/// Prints and returns top-1 and top-5 of soft nearest neighbours. The network is the checkpoint's, all else is the
/// configuration's. Throws io::Error or config::Error.
Summary snn_eval(const std::filesystem::path& checkpoint, const config::Config& config);

/// Embeds the pictures of `split` and writes a `paws-embeddings` file.
Summary embed(const std::filesystem::path& checkpoint, const config::Config& config, const std::string& split,
              const std::filesystem::path& output);
}  // namespace paws::tasks
