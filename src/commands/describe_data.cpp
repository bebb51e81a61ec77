#include "src/commands/describe_data.hpp"

#include <fmt/format.h>

#include "io/base/printable.hpp"
#include "src/data/loader_settings.hpp"
#include "src/data/view_place.hpp"

namespace paws::commands
{
namespace
{
std::string in_gibibytes(std::int64_t bytes)
{
    return fmt::format("{:.2f} GiB", static_cast<double>(bytes) / (1LL << 30));
}

std::string memory_of_images(const data::Images& images)
{
    if (images.in_memory())
    {
        return fmt::format("{} in memory", in_gibibytes(images.bytes()));
    }
    const auto& split = *images.stored;
    return fmt::format("{} of {}, of which memory keeps up to {}", in_gibibytes(split.bytes()),
                       split.is_encoded() ? "JPEG and PNG files" : "pixels", in_gibibytes(split.cache_limit()));
}

std::string who_makes_views(const config::Config& config, const data::Dataset& dataset, torch::Device device)
{
    if (data::augments_on_device(config.data, dataset.train, device))
    {
        return device.is_cpu() ? "per rank, the training step's threads make views when they are needed"
                               : "per rank, views are made on the GPU, which holds a copy of the images";
    }
    const auto batch = data::training_batch_bytes(config);
    const auto loader = data::pipeline_settings(config, batch, dataset.node, device);
    return fmt::format("per rank, {} thread{} to decode and augment, {} batch{} of {} ahead of the training step",
                       loader.workers, loader.workers == 1 ? "" : "s", loader.batches_ahead,
                       loader.batches_ahead == 1 ? "" : "es", in_gibibytes(batch));
}
}  // namespace

std::string describe_data(const config::Config& config, const data::Dataset& dataset, torch::Device device)
{
    const auto copied = dataset.read_from == dataset.source ? std::string() : " (copied there)";
    auto text = fmt::format(
        "images        read from {}{}; per rank, {}\n"
        "loader          {}\n",
        io::printable(dataset.read_from), copied, memory_of_images(dataset.train),
        who_makes_views(config, dataset, device));
    for (const auto& note : dataset.notes)
    {
        text += fmt::format("note            {}\n", io::printable(note));
    }
    return text;
}
}  // namespace paws::commands
