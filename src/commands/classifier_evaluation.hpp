#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "src/comm/world.hpp"
#include "src/commands/evaluation.hpp"
#include "src/commands/summary.hpp"
#include "src/config/config.hpp"
#include "src/data/dataset.hpp"
#include "src/device/precision.hpp"
#include "src/loss/snn_classifier.hpp"
#include "src/nn/encoder.hpp"

namespace paws::commands
{
/// Shares of `rows` of `images` whose class has the largest of the logits of `encoder`, a network with a classifier,
/// or one of the five largest. Ranks share the rows out among them, and all get the result. Throws
/// std::invalid_argument when there are no rows.
loss::Accuracy classifier_accuracy(nn::Encoder& encoder, const data::Images& images,
                                   const std::vector<std::int64_t>& rows, const config::Config& config,
                                   device::Precision precision, comm::Communicator& communicator,
                                   NotFiniteScores not_finite = NotFiniteScores::count,
                                   const train::EmbedProgress& progress = {});

/// What fine-tuning is evaluated on as it goes: the held-out images of the training split where there is such a list,
/// else the validation split.
loss::Accuracy held_out_accuracy(nn::Encoder& encoder, const data::Dataset& dataset, const config::Config& config,
                                 device::Precision precision, comm::Communicator& communicator,
                                 NotFiniteScores not_finite = NotFiniteScores::count);

/// The classifier of a run of fine_tune: its best, latest or published checkpoint, the first that is there; the best
/// where none is.
std::filesystem::path classifier_checkpoint(const config::Config& config);

/// fine_tune with meta.training: false: prints and returns top-1 and top-5 on the validation split, and top-1 on the
/// held-out images where there are some, of the classifier that `checkpoint` names: auto (the best of the run, else
/// its latest) or a path. Collective. Throws config::Error or io::Error.
Summary evaluate_classifier(const config::Config& config, const std::string& checkpoint, const comm::World& world = {});
}  // namespace paws::commands
