#pragma once

#include <filesystem>
#include <string>

#include "io/results/output_target.hpp"
#include "src/comm/world.hpp"
#include "src/commands/baselines.hpp"
#include "src/commands/summary.hpp"
#include "src/commands/training.hpp"
#include "src/config/config.hpp"

namespace paws::commands
{
struct DemoRequest
{
    std::filesystem::path images;  ///< folder with the IDX files of Fashion-MNIST
    std::filesystem::path folder;  ///< where everything is written
    std::string tier = {};         ///< the name of a DemoTier; empty: the one for the speed that is measured
    bool keeps_size = false;       ///< epochs and images are as the user has set them
    LabelsOnlySettings labels_only = {};
};

/// Adds the files that the demo reads and writes, for io::require_outputs.
void add_demo_files(const config::Config& config, const DemoRequest& request, io::CommandFiles& files);

/// `paws_hpc demo`: packs Fashion-MNIST, measures the two baselines, trains with PAWS, embeds the test images, and
/// prints a table of the three accuracies (also in the summary: top1_pixels, top1_supervised, top1_paws and the same
/// for top5; tier and speed_measured where they apply). The size of the PAWS training is a tier's (demo_tier.hpp): the
/// one of the request, or else the one for the speed of the first steps; where the request keeps the size, or
/// has_own_size(config), it is the configuration's. Everything else depends on neither the machine's speed nor the
/// clock. `world`: one rank. Throws config::Error for an unknown tier.
Summary demo(const config::Config& config, const DemoRequest& request, const comm::World& world = {});
}  // namespace paws::commands
