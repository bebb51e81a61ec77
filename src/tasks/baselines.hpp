#pragma once

#include <cstdint>

#include "src/config/config.hpp"
#include "src/data/dataset.hpp"
#include "src/loss/snn_classifier.hpp"
#include "src/nn/precision.hpp"

namespace paws::tasks
{
/// What PAWS has to beat: soft nearest neighbours on raw pixels, with the same labelled pictures.
/// The temperature is the best for the labelled pictures themselves, each left out in turn, so that no test label is
/// used.
loss::Accuracy pixel_neighbours(const data::Dataset& dataset);

/// How the network is trained on the labelled pictures alone.
struct LabelsOnlySettings
{
    std::int64_t steps = 400;
    std::int64_t views_per_step = 2;  ///< augmented views of every labelled picture in a step
    double learning_rate = 0.05;
    double weight_decay = 5e-4;
};

/// The same network, its head ending in the classes, trained with cross-entropy on the labelled pictures under the
/// run's augmentation (SGD with momentum, cosine schedule); accuracy on the validation split.
loss::Accuracy labels_only(const data::Dataset& dataset, const config::Config& config, nn::Precision precision,
                           const LabelsOnlySettings& settings);
}  // namespace paws::tasks
