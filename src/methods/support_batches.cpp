#include "src/methods/support_batches.hpp"

#include <fmt/format.h>

#include "src/config/task_traits.hpp"
#include "src/data/loader_settings.hpp"

namespace paws::methods
{
std::shared_ptr<const loss::SupportLabels> labels_of_supports(const config::Config& config, std::int64_t world_size,
                                                              torch::Device device)
{
    return std::make_shared<const loss::SupportLabels>(
        loss::SupportLabels::stratified(config.criterion.classes_per_batch, config::supports_per_class(config),
                                        config.criterion.supervised_views, config.data.label_smoothing, world_size,
                                        config.data.unique_classes_per_rank)
            .to(device));
}

void require_neighbours(const config::Config& config, std::int64_t world_size)
{
    const auto ranks_of_class = config.data.unique_classes_per_rank ? 1 : world_size;
    const auto rows_of_class = config::supports_per_class(config) * config.criterion.supervised_views * ranks_of_class;
    if (rows_of_class < 2 && config.data.label_smoothing == 0)
    {
        throw config::Error(
            fmt::format("{}: a class has one image in the batch of all ranks, which has no neighbour of its "
                        "class to be found by; raise it to 2, or criterion.supervised_views, or set "
                        "data.label_smoothing",
                        config::traits_of(config.task).key_of_supports));
    }
}

void require_other_classes(const config::Config& config, std::int64_t world_size)
{
    if (config::classes_of_step(config, world_size) < 2)
    {
        throw config::Error(
            "criterion.classes_per_batch: 1: the labelled images of a step are all of one class, so that there is "
            "nothing "
            "to tell apart; raise it to 2 or more");
    }
}

std::int64_t similarity_bytes(const config::Criterion& criterion)
{
    return static_cast<std::int64_t>(criterion.similarity_memory_gb * (std::int64_t{1} << 30));
}

GatheredRows contrastive_rows(const config::Config& config)
{
    const auto all = data::views_of_step(config).large;
    return {all, all - 2 * config.criterion.unsupervised_batch_size};
}

loss::ContrastiveSettings contrastive_settings(const Context& context)
{
    const auto& criterion = context.config.criterion;
    return {criterion.temperature, similarity_bytes(criterion), context.communicator};
}
}  // namespace paws::methods
