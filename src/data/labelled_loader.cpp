#include "src/data/labelled_loader.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "io/base/quantity.hpp"
#include "src/config/task_traits.hpp"
#include "src/data/augmentation.hpp"
#include "src/data/loader_settings.hpp"

namespace paws::data
{
namespace
{
std::int64_t labelled_count(const Dataset& dataset)
{
    return static_cast<std::int64_t>(dataset.labelled.size());
}

DistributedSampler shuffled(const Dataset& dataset, const config::Config& config, std::int64_t rank,
                            std::int64_t world_size)
{
    DistributedSampler::Settings settings;
    settings.size = labelled_count(dataset);
    settings.batch_size = config.optimization.batch_size;
    settings.rank = rank;
    settings.world_size = world_size;
    const auto share = (settings.size + world_size - 1) / world_size;
    if (share < settings.batch_size)
    {
        throw config::Error(fmt::format(
            "optimization.batch_size: {} images on each of {} are more than the {} labelled ones there are; "
            "lower it to {}{}",
            settings.batch_size, io::plural(world_size, "rank"), settings.size, std::max<std::int64_t>(1, share),
            world_size == 1 ? "" : ", or start fewer ranks"));
    }
    return DistributedSampler(settings);
}

ClassStratifiedSampler stratified(const Dataset& dataset, const config::Config& config,
                                  const std::vector<std::int64_t>& targets, std::int64_t rank, std::int64_t world_size)
{
    ClassStratifiedSampler::Settings settings;
    settings.classes_per_batch = config.criterion.classes_per_batch;
    settings.images_per_class = config::supports_per_class(config);
    settings.unique_classes = config.data.unique_classes_per_rank;
    settings.rank = rank;
    settings.world_size = world_size;
    settings.inner_epochs =
        std::max<std::int64_t>(1, labelled_count(dataset) / dataset.classes() / settings.images_per_class);
    return {targets, dataset.classes(), settings};
}
}  // namespace

LabelledLoader::LabelledLoader(const Dataset& dataset, const config::Config& config, const RankShare& share,
                               torch::Device device)
    : dataset_(dataset), config_(config), share_(share), place_(dataset.train, config.data, device)
{
    const auto targets = dataset_.labelled_targets();
    for (auto rank = share_.first; rank < share_.first + share_.count; ++rank)
    {
        if (is_stratified())
        {
            auto sampler = stratified(dataset_, config_, targets, rank, share_.world_size);
            steps_per_epoch_ = sampler.batches_per_sequence();
            samplers_.emplace_back(std::move(sampler));
        }
        else
        {
            auto sampler = shuffled(dataset_, config_, rank, share_.world_size);
            steps_per_epoch_ = sampler.batches_per_epoch();
            samplers_.emplace_back(std::move(sampler));
        }
    }
}

bool LabelledLoader::is_stratified() const
{
    return config::with_supports.contains(config_.task);
}

std::int64_t LabelledLoader::images_per_step() const
{
    const auto& criterion = config_.criterion;
    const auto of_rank = is_stratified() ? criterion.classes_per_batch * config::supports_per_class(config_)
                                         : config_.optimization.batch_size;
    return of_rank * share_.world_size;
}

SamplerState LabelledLoader::sampler_state() const
{
    const auto* const stratified = std::get_if<ClassStratifiedSampler>(&samplers_.front());
    return stratified ? to_sampler_state(stratified->state()) : SamplerState();
}

void LabelledLoader::restore_samplers(const SamplerState& state)
{
    for (auto& sampler : samplers_)
    {
        auto* const stratified = std::get_if<ClassStratifiedSampler>(&sampler);
        if (stratified && !state.empty())
        {
            stratified->restore(from_sampler_state(state));
        }
    }
}

void LabelledLoader::start_epoch(std::int64_t epoch, std::int64_t first_step)
{
    stop();
    epoch_ = epoch;
    for (auto& sampler : samplers_)
    {
        std::visit([&](auto& one) { one.set_epoch(epoch); }, sampler);
    }
    epoch_start_ = samplers_;
    for (std::int64_t step = 0; step < first_step; ++step)
    {
        draw(samplers_);
    }
    begin(place_.source(training_pipeline_settings(config_, share_.count, dataset_.train.node, place_.device()),
                        [this, step = first_step]() mutable { return plan(step++); }));
}

std::vector<std::int64_t> LabelledLoader::draw(std::vector<Sampler>& samplers) const
{
    std::vector<std::int64_t> rows;
    for (auto& sampler : samplers)
    {
        for (const auto index : std::visit([](auto& one) { return one.next_batch(); }, sampler))
        {
            rows.push_back(dataset_.labelled[static_cast<std::size_t>(index)]);
        }
    }
    return rows;
}

StepRows LabelledLoader::rows_of_step(std::int64_t step) const
{
    auto samplers = epoch_start_;
    std::vector<std::int64_t> rows;
    for (std::int64_t i = 0; i <= step; ++i)
    {
        rows = draw(samplers);
    }
    return {{"labelled", rows}};
}

std::optional<BatchPlan> LabelledLoader::plan(std::int64_t step)
{
    if (step >= steps_per_epoch_)
    {
        return std::nullopt;
    }
    const auto views = is_stratified() ? config_.criterion.supervised_views : std::int64_t{1};
    const auto rows = draw(samplers_);
    const auto images = static_cast<std::int64_t>(rows.size()) / share_.count;
    const auto rows_of_rank = images * views;
    const kernels::AugmentKey key{static_cast<std::uint64_t>(config_.meta.seed), static_cast<std::uint32_t>(epoch_)};

    BatchPlan plan;
    plan.kinds = {RandomView{large_view_spec(config_.data), key}};
    plan.counts = {share_.count * rows_of_rank};
    plan.classes.resize(static_cast<std::size_t>(plan.counts[0]));
    for (std::int64_t rank = 0; rank < share_.count; ++rank)
    {
        // An image that comes again in the epoch, or on another rank, shall look different.
        const auto first_number = (step * share_.world_size + share_.first + rank) * views;
        for (std::int64_t i = 0; i < images; ++i)
        {
            const auto row = rows[static_cast<std::size_t>(rank * images + i)];
            plan.images.push_back({row, {}});
            for (std::int64_t v = 0; v < views; ++v)
            {
                const auto place = rank * rows_of_rank + v * images + i;
                plan.images.back().views.push_back({0, static_cast<std::uint32_t>(first_number + v), place});
                plan.classes[static_cast<std::size_t>(place)] = dataset_.train.labels[static_cast<std::size_t>(row)];
            }
        }
    }
    return plan;
}

std::optional<Batch> LabelledLoader::next()
{
    const auto batch = next_views();
    return batch ? std::optional(Batch{batch->views[0], {}, {}, batch->classes}) : std::nullopt;
}
}  // namespace paws::data
