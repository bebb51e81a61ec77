#include "src/data/paws_loader.hpp"

#include "src/config/task_traits.hpp"
#include "src/data/augmentation.hpp"
#include "src/data/loader_settings.hpp"

namespace paws::data
{
namespace
{
/// Views of the supports are numbered apart from those of the unlabelled images, and anew in every step and rank: a
/// labelled image comes back many times in an epoch and shall look different each time.
constexpr std::uint32_t first_support_view = 1U << 10;

DistributedSampler::Settings unlabelled_settings(const Dataset& dataset, const config::Config& config,
                                                 std::int64_t rank, std::int64_t world_size)
{
    DistributedSampler::Settings settings;
    settings.size = static_cast<std::int64_t>(dataset.unlabelled.size());
    settings.batch_size = config.criterion.unsupervised_batch_size;
    settings.rank = rank;
    settings.world_size = world_size;
    return settings;
}

ClassStratifiedSampler::Settings support_settings(const Dataset& dataset, const config::Config& config,
                                                  std::int64_t rank, std::int64_t world_size,
                                                  std::int64_t steps_per_epoch)
{
    ClassStratifiedSampler::Settings settings;
    settings.classes_per_batch = config.criterion.classes_per_batch;
    settings.images_per_class = config::supports_per_class(config);
    settings.unique_classes = config.data.unique_classes_per_rank;
    settings.rank = rank;
    settings.world_size = world_size;
    settings.inner_epochs = inner_epochs_for(steps_per_epoch, dataset.classes(), settings);
    return settings;
}

/// Appends what stands at `places` of `rows`.
void append(std::vector<std::int64_t>& all, const std::vector<std::int64_t>& places,
            const std::vector<std::int64_t>& rows)
{
    for (const auto place : places)
    {
        all.push_back(rows[static_cast<std::size_t>(place)]);
    }
}
}  // namespace

PawsLoader::PawsLoader(const Dataset& dataset, const config::Config& config, const RankShare& share,
                       torch::Device device)
    : dataset_(dataset), config_(config), share_(share), place_(dataset.train, config.data, device)
{
    const auto targets = dataset_.labelled_targets();
    for (auto rank = share_.first; rank < share_.first + share_.count; ++rank)
    {
        DistributedSampler unlabelled(unlabelled_settings(dataset_, config_, rank, share_.world_size));
        const auto settings =
            support_settings(dataset_, config_, rank, share_.world_size, unlabelled.batches_per_epoch());
        samplers_.push_back({std::move(unlabelled), ClassStratifiedSampler(targets, dataset_.classes(), settings)});
    }
}

std::int64_t PawsLoader::images_per_step() const
{
    return config_.criterion.unsupervised_batch_size * share_.world_size;
}

void PawsLoader::restore_samplers(const SamplerState& state)
{
    if (state.empty())
    {
        return;
    }
    for (auto& samplers : samplers_)
    {
        samplers.supports.restore(from_sampler_state(state));
    }
}

void PawsLoader::start_epoch(std::int64_t epoch, std::int64_t first_step)
{
    stop();
    epoch_ = epoch;
    for (auto& samplers : samplers_)
    {
        samplers.unlabelled.set_epoch(epoch);
        samplers.supports.set_epoch(epoch);
    }
    epoch_start_ = samplers_;
    for (std::int64_t step = 0; step < first_step; ++step)
    {
        draw(samplers_);
    }
    begin(place_.source(training_pipeline_settings(config_, share_.count, dataset_.train.node, place_.device()),
                        [this, step = first_step]() mutable { return plan(step++); }));
}

PawsLoader::Rows PawsLoader::draw(std::vector<Samplers>& samplers) const
{
    const auto epochs_with_supports = config::epochs_with_supports(config_);
    const bool uses_supports = !epochs_with_supports || epoch_ < *epochs_with_supports;
    Rows rows;
    for (auto& of_rank : samplers)
    {
        append(rows.unlabelled, of_rank.unlabelled.next_batch(), dataset_.unlabelled);
    }
    if (uses_supports && !rows.unlabelled.empty())
    {
        for (auto& of_rank : samplers)
        {
            append(rows.supports, of_rank.supports.next_batch(), dataset_.labelled);
        }
    }
    return rows;
}

StepRows PawsLoader::rows_of_step(std::int64_t step) const
{
    auto samplers = epoch_start_;
    Rows rows;
    for (std::int64_t i = 0; i <= step; ++i)
    {
        rows = draw(samplers);
    }
    return {{"supports", rows.supports}, {"unlabelled", rows.unlabelled}};
}

std::optional<BatchPlan> PawsLoader::plan(std::int64_t step)
{
    const auto [labelled, unlabelled] = draw(samplers_);
    if (unlabelled.empty())
    {
        return std::nullopt;
    }
    const kernels::AugmentKey key{static_cast<std::uint64_t>(config_.meta.seed), static_cast<std::uint32_t>(epoch_)};
    const auto support_views = config_.criterion.supervised_views;
    const auto small_views = config_.data.multicrop;
    const auto labelled_count = static_cast<std::int64_t>(labelled.size());
    const auto labelled_of_rank = labelled_count / share_.count;
    const auto unlabelled_count = static_cast<std::int64_t>(unlabelled.size());

    const auto all_support_views = labelled_count * support_views;

    BatchPlan plan;
    plan.kinds = {RandomView{large_view_spec(config_.data), key}};
    plan.counts = {all_support_views + 2 * unlabelled_count};
    if (small_views > 0)
    {
        plan.kinds.emplace_back(RandomView{small_view_spec(config_.data), key});
        plan.counts.push_back(small_views * unlabelled_count);
    }
    plan.images.reserve(labelled.size() + unlabelled.size());
    // Views of the last image: view after view, the images in turn.
    const auto add = [&](std::int64_t first_place, std::int64_t first_number, std::int64_t images, std::int64_t views,
                         std::size_t kind)
    {
        for (std::int64_t v = 0; v < views; ++v)
        {
            plan.images.back().views.push_back(
                {kind, static_cast<std::uint32_t>(first_number + v), first_place + v * images});
        }
    };
    for (std::int64_t i = 0; i < labelled_count; ++i)
    {
        const auto row = labelled[static_cast<std::size_t>(i)];
        const auto rank = i / labelled_of_rank;
        // Ranks of a world may share a labelled image, which shall look different on each.
        const auto number = first_support_view + (step * share_.world_size + share_.first + rank) * support_views;
        plan.images.push_back({row, {}});
        add(i + rank * labelled_of_rank * (support_views - 1), number, labelled_of_rank, support_views, 0);
    }
    for (std::int64_t i = 0; i < unlabelled_count; ++i)
    {
        const auto row = unlabelled[static_cast<std::size_t>(i)];
        plan.images.push_back({row, {}});
        add(all_support_views + i, 0, unlabelled_count, 2, 0);
        add(i, 2, unlabelled_count, small_views, 1);
    }
    return plan;
}

std::optional<Batch> PawsLoader::next()
{
    const auto batch = next_views();
    if (!batch)
    {
        return std::nullopt;
    }
    const auto& large = batch->views[0];
    const auto supports = large.size(0) - 2 * share_.count * config_.criterion.unsupervised_batch_size;
    return Batch{supports > 0 ? large.narrow(0, 0, supports) : torch::Tensor(), large.slice(0, supports),
                 batch->views.size() > 1 ? batch->views[1] : torch::Tensor()};
}
}  // namespace paws::data
