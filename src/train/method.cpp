#include "src/train/method.hpp"

#include <fmt/format.h>

#include <numeric>

#include "src/train/pre_training.hpp"
#include "src/train/support_batches.hpp"

namespace paws::train
{
double Method::loss_of(const StepValues& values) const
{
    return std::accumulate(values.begin(), values.end(), 0.0);
}

void require_learnable(const config::Config& config, std::int64_t world_size)
{
    switch (config.task)
    {
        case config::Task::paws_train:
            return;
        case config::Task::suncet_train:
            if (config.criterion.supervised_epochs > 0)
            {
                require_neighbours(config, world_size);
            }
            return;
        default:
            throw config::Error(
                fmt::format("task: {} does not pre-train; paws_train and suncet_train do", to_string(config.task)));
    }
}

std::unique_ptr<Method> make_method(const config::Config& config, const data::Dataset& dataset,
                                    const data::RankShare& share,
                                    const std::shared_ptr<comm::Communicator>& communicator)
{
    require_learnable(config, share.world_size);
    return config.task == config::Task::paws_train ? make_paws(config, dataset, share, communicator)
                                                   : make_suncet(config, dataset, share, communicator);
}
}  // namespace paws::train
