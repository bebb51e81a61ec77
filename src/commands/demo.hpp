#pragma once

#include <filesystem>

#include "io/results/output_target.hpp"
#include "src/comm/world.hpp"
#include "src/commands/summary.hpp"
#include "src/commands/training.hpp"
#include "src/config/config.hpp"

namespace paws::commands
{
struct DemoRequest
{
    std::filesystem::path images;  ///< folder with the IDX files of Fashion-MNIST
    std::filesystem::path folder;  ///< where everything is written
};

/// Adds the files that the demo reads and writes, for io::require_outputs.
void add_demo_files(const config::Config& config, const DemoRequest& request, io::CommandFiles& files);

/// `paws_hpc demo`: packs Fashion-MNIST, measures the two baselines, trains with PAWS, embeds the test images, and
/// prints a table of the three accuracies (also in the summary: top1_pixels, top1_supervised, top1_paws and the same
/// for top5). `world`: one rank.
Summary demo(const config::Config& config, const DemoRequest& request, const comm::World& world = {});
}  // namespace paws::commands
