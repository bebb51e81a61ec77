#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

#include "src/checkpoint/checkpoint.hpp"
#include "src/comm/communicator.hpp"
#include "src/comm/world.hpp"
#include "src/commands/summary.hpp"
#include "src/config/config.hpp"
#include "src/data/dataset.hpp"
#include "src/device/precision.hpp"
#include "src/loss/snn_classifier.hpp"
#include "src/nn/encoder.hpp"
#include "src/train/embedder.hpp"

namespace paws::commands
{
/// [n, K], float32: how much each class is in each of n rows.
using ScoresOfRows = std::function<torch::Tensor(const std::vector<std::int64_t>& rows)>;

/// What becomes of scores that are NaN or infinite, of which an accuracy is no measure.
enum class NotFiniteScores
{
    count,   ///< the evaluation of a run that trains must not end it; the next step does
    refuse,  ///< ranks::BadInput, on all ranks
};

/// Shares of `rows` of `images` whose class has the largest of its scores, or one of the five largest. Ranks share
/// the rows out among them, and all get the result. Collective.
loss::Accuracy accuracy_together(const data::Images& images, const std::vector<std::int64_t>& rows,
                                 comm::Communicator& communicator, const ScoresOfRows& scores,
                                 NotFiniteScores not_finite);

/// Soft nearest neighbours: the validation images against the labelled training images, both as the encoder embeds
/// them, on the encoder's device. Ranks share both out among them, and all get the result.
loss::Accuracy snn_accuracy(nn::Encoder& encoder, const data::Dataset& dataset, const config::Config& config,
                            device::Precision precision, comm::Communicator& communicator,
                            NotFiniteScores not_finite = NotFiniteScores::count,
                            const train::EmbedProgress& progress = {});

/// A network to evaluate, and where it comes from.
struct Pretrained
{
    std::filesystem::path checkpoint;
    checkpoint::PretrainedEncoder network;
};

/// Collective: every rank reads the checkpoint, once. Throws io::Error or config::Error.
Pretrained load_pretrained(const std::filesystem::path& checkpoint, comm::Communicator& communicator);

/// The network's arithmetic, its device and the order of its weights for evaluation.
void prepare_for_evaluation(nn::Encoder& encoder, device::Precision precision, const torch::Device& device);

/// Where the network computes.
torch::Device device_of(const nn::Encoder& encoder);

/// Collective: the first rank prints, and all return, top-1 and top-5 of soft nearest neighbours. The network is the
/// checkpoint's, all else is the configuration's. Throws io::Error or config::Error.
Summary snn_eval(const Pretrained& pretrained, const config::Config& config, const comm::World& world = {});
}  // namespace paws::commands
