#include "src/data/loader_settings.hpp"

#include <algorithm>

#include "src/config/task_traits.hpp"

namespace paws::data
{
namespace
{
constexpr std::int64_t gibibyte = std::int64_t{1} << 30;
constexpr std::int64_t usual_batches_ahead = 4;

/// float32 RGB.
std::int64_t view_bytes(std::int64_t size)
{
    return size * size * 3 * static_cast<std::int64_t>(sizeof(float));
}
}  // namespace

StepViews views_of_step(const config::Config& config)
{
    if (config.task == config::Task::fine_tune)
    {
        return {config.optimization.batch_size, 0};
    }
    const auto& criterion = config.criterion;
    const auto labelled = criterion.classes_per_batch * config::supports_per_class(config) * criterion.supervised_views;
    return {labelled + 2 * criterion.unsupervised_batch_size,
            config.data.multicrop * criterion.unsupervised_batch_size};
}

std::int64_t training_batch_bytes(const config::Config& config)
{
    const auto views = views_of_step(config);
    return views.large * view_bytes(config.data.crop_size) + views.small * view_bytes(config.data.small_crop_size);
}

std::int64_t evaluation_batch_bytes(const config::Data& data)
{
    return data.evaluation_batch_size * view_bytes(data.eval_crop_size);
}

ViewPipeline::Settings pipeline_settings(const config::Config& config, std::int64_t batch_bytes,
                                         const ranks::Resources& node, torch::Device device)
{
    ViewPipeline::Settings settings;
    const auto spare_cores = device.is_cpu() ? node.cores / 4 : node.cores - 1;
    settings.workers = static_cast<std::size_t>(config.data.workers > 0 ? config.data.workers
                                                                        : std::max<std::int64_t>(1, spare_cores));
    const auto fitting = node.memory_bytes / 8 / std::max<std::int64_t>(1, batch_bytes);
    settings.batches_ahead = static_cast<std::size_t>(config.data.prefetch_batches > 0
                                                          ? config.data.prefetch_batches
                                                          : std::clamp<std::int64_t>(fitting, 1, usual_batches_ahead));
    settings.skip_broken = config.data.skip_broken;
    settings.reduced_decoding = config.data.reduced_decoding;
    return settings;
}

ViewPipeline::Settings training_pipeline_settings(const config::Config& config, std::int64_t ranks,
                                                  const ranks::Resources& node, torch::Device device)
{
    auto settings = pipeline_settings(config, ranks * training_batch_bytes(config), node, device);
    settings.reuse = config.data.reuse_views;
    return settings;
}

std::int64_t cache_bytes(const config::Data& data, const ranks::Resources& node)
{
    return data.cache_gb ? static_cast<std::int64_t>(*data.cache_gb * gibibyte) : node.memory_bytes / 2;
}
}  // namespace paws::data
