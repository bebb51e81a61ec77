#include "src/methods/registry.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "src/data/labelled.hpp"
#include "src/methods/classifier.hpp"
#include "src/methods/paws.hpp"
#include "src/methods/snn_fine_tuning.hpp"
#include "src/methods/suncet.hpp"

namespace paws::methods
{
namespace
{
struct Registration
{
    config::Task task;
    void (*require_learnable)(const config::Config& config, std::int64_t world_size);
    std::unique_ptr<data::Loader> (*make_loader)(const data::Dataset& dataset, const config::Config& config,
                                                 const data::RankShare& share, torch::Device device);
    std::unique_ptr<Method> (*make_method)(const Context& context);
};

template <class Made>
Registration registration(config::Task task)
{
    return {task, Made::require_learnable,
            [](const data::Dataset& dataset, const config::Config& config, const data::RankShare& share,
               torch::Device device) -> std::unique_ptr<data::Loader>
            { return std::make_unique<typename Made::Loader>(dataset, config, share, device); },
            [](const Context& context) -> std::unique_ptr<Method> { return std::make_unique<Made>(context); }};
}

const std::array registrations{
    registration<Paws>(config::Task::paws_train),
    registration<Suncet>(config::Task::suncet_train),
    registration<SnnFineTuning>(config::Task::snn_fine_tune),
    registration<Classifier>(config::Task::fine_tune),
};

const Registration& registration_of(config::Task task)
{
    const auto* const found = std::find_if(registrations.begin(), registrations.end(),
                                           [&](const Registration& one) { return one.task == task; });
    if (found == registrations.end())
    {
        std::vector<std::string> others;
        for (const auto& one : registrations)
        {
            others.push_back(to_string(one.task));
        }
        const auto last = others.back();
        others.pop_back();
        throw config::Error(
            fmt::format("task: {} does not train; {} and {} do", to_string(task), fmt::join(others, ", "), last));
    }
    return *found;
}
}  // namespace

void require_learnable(const config::Config& config, std::int64_t world_size)
{
    registration_of(config.task).require_learnable(config, world_size);
}

std::unique_ptr<data::Loader> make_loader(const config::Config& config, const data::Dataset& dataset,
                                          const data::RankShare& share, torch::Device device)
{
    data::require_several_classes(config, dataset.labelled_targets(), dataset.class_names, dataset.source);
    require_learnable(config, share.world_size);
    return registration_of(config.task).make_loader(dataset, config, share, device);
}

std::unique_ptr<Method> make_method(const Context& context)
{
    return registration_of(context.config.task).make_method(context);
}
}  // namespace paws::methods
