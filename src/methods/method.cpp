#include "src/methods/method.hpp"

#include <fmt/format.h>

#include <numeric>

#include "src/data/labelled.hpp"
#include "src/methods/fine_tuning.hpp"
#include "src/methods/pre_training.hpp"
#include "src/methods/support_batches.hpp"

namespace paws::methods
{
double Method::loss_of(const logging::StepValues& values) const
{
    return std::accumulate(values.begin(), values.end(), 0.0);
}

void require_learnable(const config::Config& config, std::int64_t world_size)
{
    switch (config.task)
    {
        case config::Task::paws_train:
            require_other_classes(config, world_size);
            return;
        case config::Task::fine_tune:
            return;
        case config::Task::snn_fine_tune:
            require_other_classes(config, world_size);
            require_neighbours(config, world_size);
            return;
        case config::Task::suncet_train:
            if (config.criterion.supervised_epochs > 0)
            {
                require_other_classes(config, world_size);
                require_neighbours(config, world_size);
            }
            return;
        default:
            throw config::Error(
                fmt::format("task: {} does not train; paws_train, suncet_train, snn_fine_tune and fine_tune do",
                            to_string(config.task)));
    }
}

std::unique_ptr<Method> make_method(const config::Config& config, const data::Dataset& dataset,
                                    const data::RankShare& share,
                                    const std::shared_ptr<comm::Communicator>& communicator, torch::Device device)
{
    data::require_several_classes(config, dataset.labelled_targets(), dataset.class_names, dataset.source);
    require_learnable(config, share.world_size);
    switch (config.task)
    {
        case config::Task::paws_train:
            return make_paws(config, dataset, share, communicator, device);
        case config::Task::suncet_train:
            return make_suncet(config, dataset, share, communicator, device);
        case config::Task::snn_fine_tune:
            return make_snn_fine_tuning(config, dataset, share, communicator, device);
        default:
            return make_fine_tuning(config, dataset, share, device);
    }
}
}  // namespace paws::methods
