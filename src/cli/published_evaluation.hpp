#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "src/checkpoint/checkpoint.hpp"
#include "src/config/config.hpp"

namespace paws::cli
{
/// The options of the published `snn_eval.py`, as far as they were given.
struct PublishedEvaluation
{
    std::string pretrained;  ///< the checkpoint; where it is given, what is not takes the published defaults
    bool use_pred = false;
    std::optional<std::string> model_name, device, dataset_name, root_path, image_folder, subset_path;
    std::optional<double> unlabeled_frac, split_seed;
    std::optional<bool> normalize;
};

/// Adds them to the command, with the published names.
void add_published_options(CLI::App& command, PublishedEvaluation& published);

/// Changes the settings of a checkpoint's run as the options say. The images and labels are those of the published
/// options and their defaults if one of them is given, or if the checkpoint is named by --pretrained and its settings
/// name no images, nor `has_data`, that other options do. Gives what the user should know, a line each. Throws
/// config::Error for options that contradict the checkpoint.
std::vector<std::string> apply_published(const PublishedEvaluation& published,
                                         const checkpoint::PretrainedEncoder& network, bool has_data,
                                         config::Config& config);
}  // namespace paws::cli
