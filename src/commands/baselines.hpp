#pragma once

#include <cstdint>
#include <filesystem>

#include "src/config/config.hpp"
#include "src/data/dataset.hpp"
#include "src/device/precision.hpp"
#include "src/loss/snn_classifier.hpp"

namespace paws::commands
{
/// What PAWS has to beat: soft nearest neighbours on raw pixels, with the same labelled images.
/// The temperature is the best for the labelled images themselves, each left out in turn, so that no test label is
/// used.
loss::Accuracy pixel_neighbours(const data::Dataset& dataset);

/// How the network is trained on the labelled images alone.
struct LabelsOnlySettings
{
    std::int64_t steps = 1000;
    double learning_rate = 0.05;
    double weight_decay = 5e-4;
};

/// The same backbone with a linear classifier, trained with cross-entropy on all labelled images in every step, under
/// the run's augmentation (SGD with momentum, cosine schedule), on `device`. Gives the accuracy on the validation
/// split; writes the network, whose backbone a run can start from (meta.init_backbone), to `checkpoint`.
loss::Accuracy labels_only(const data::Dataset& dataset, const config::Config& config, device::Precision precision,
                           const LabelsOnlySettings& settings, const std::filesystem::path& checkpoint,
                           const torch::Device& device = torch::kCPU);
}  // namespace paws::commands
