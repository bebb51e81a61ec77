#pragma once

#include <cstdint>

#include "io/ranks/node.hpp"
#include "src/config/config.hpp"
#include "src/data/view_pipeline.hpp"

namespace paws::data
{
/// Views that a training step takes on one rank: data.crop_size² and data.small_crop_size² large.
struct StepViews
{
    std::int64_t large = 0;
    std::int64_t small = 0;
};
StepViews views_of_step(const config::Config& config);

/// Bytes of the views of a training step, and of an evaluation batch, on one rank.
std::int64_t training_batch_bytes(const config::Config& config);
std::int64_t evaluation_batch_bytes(const config::Data& data);

/// Threads and batches ahead for a network on `device`, as the configuration says, or by default: for a GPU all cores
/// but one, for a CPU, where the step itself wants the cores, a quarter of them; four batches, or fewer where they
/// would take more than an eighth of the memory.
ViewPipeline::Settings pipeline_settings(const config::Config& config, std::int64_t batch_bytes,
                                         const ranks::Resources& node, torch::Device device = torch::kCPU);

/// The same for the training batches of a rank that emulates `ranks` of the world, with data.reuse_views.
ViewPipeline::Settings training_pipeline_settings(const config::Config& config, std::int64_t ranks,
                                                  const ranks::Resources& node, torch::Device device = torch::kCPU);

/// Memory for images: data.cache_gb, by default half of what a rank may use.
std::int64_t cache_bytes(const config::Data& data, const ranks::Resources& node);
}  // namespace paws::data
