#include "src/config/task_traits.hpp"

namespace paws::config
{
bool trains(const Config& config)
{
    const auto& traits = traits_of(config.task);
    return traits.kind != TaskKind::evaluation && (!traits.has_classifier || config.meta.training);
}

std::int64_t supports_per_class(const Config& config)
{
    const auto& traits = traits_of(config.task);
    return traits.images_per_class == nullptr ? 0 : config.criterion.*traits.images_per_class;
}

std::int64_t classes_of_step(const Config& config, std::int64_t world_size)
{
    return config.criterion.classes_per_batch * (config.data.unique_classes_per_rank ? world_size : 1);
}

std::optional<std::int64_t> epochs_with_supports(const Config& config)
{
    const auto& traits = traits_of(config.task);
    return traits.supervised_epochs == nullptr ? std::nullopt
                                               : std::optional(config.criterion.*traits.supervised_epochs);
}

bool learns_classes(const Config& config)
{
    const auto& traits = traits_of(config.task);
    const bool uses_supports = traits.images_per_class != nullptr && epochs_with_supports(config).value_or(1) > 0;
    return trains(config) && (uses_supports || traits.has_classifier);
}
}  // namespace paws::config
