#include "src/commands/describe_data.hpp"

#include <fmt/format.h>

#include "io/base/printable.hpp"
#include "io/base/quantity.hpp"
#include "src/data/loader_settings.hpp"
#include "src/data/view_place.hpp"

namespace paws::commands
{
namespace
{
std::string memory_of_images(const data::Images& images)
{
    if (images.in_memory())
    {
        return fmt::format("{} in memory", io::gibibytes(images.bytes()));
    }
    const auto& split = *images.stored;
    return fmt::format("{} of {}, of which memory keeps up to {}", io::gibibytes(split.bytes()),
                       split.is_encoded() ? "JPEG and PNG files" : "pixels", io::gibibytes(split.cache_limit()));
}

std::string who_makes_views(const config::Config& config, const data::Dataset& dataset, torch::Device device)
{
    if (data::augments_on_device(config.data, dataset.train, device))
    {
        return device.is_cpu() ? "per rank, the training step's threads make views when they are needed"
                               : "per rank, views are made on the GPU, which holds a copy of the images";
    }
    const auto batch = data::training_batch_bytes(config);
    const auto loader = data::pipeline_settings(config, batch, dataset.train.node, device);
    return fmt::format("per rank, {} to decode and augment, {} of {} ahead of the training step",
                       io::plural(loader.workers, "thread"), io::plural(loader.batches_ahead, "batch", "es"),
                       io::gibibytes(batch));
}
}  // namespace

std::string describe_data(const config::Config& config, const data::Dataset& dataset, torch::Device device)
{
    const auto copied = dataset.read_from == dataset.source ? std::string() : " (copied there)";
    auto text = fmt::format(
        "images          read from {}{}; per rank, {}\n"
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
