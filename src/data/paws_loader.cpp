#include "src/data/paws_loader.hpp"

#include "src/data/augmentation.hpp"
#include "src/data/loader_settings.hpp"

namespace paws::data
{
namespace
{
/// Views of the supports are numbered apart from those of the unlabelled pictures, and anew in every step: a labelled
/// picture comes back many times in an epoch and shall look different each time.
constexpr std::uint32_t first_support_view = 1U << 10;

DistributedSampler::Settings unlabelled_settings(const Dataset& dataset, const config::Config& config)
{
    DistributedSampler::Settings settings;
    settings.size = static_cast<std::int64_t>(dataset.unlabelled.size());
    settings.batch_size = config.criterion.unsupervised_batch_size;
    return settings;
}

ClassStratifiedSampler::Settings support_settings(const Dataset& dataset, const config::Config& config,
                                                  std::int64_t steps_per_epoch)
{
    ClassStratifiedSampler::Settings settings;
    settings.classes_per_batch = config.criterion.classes_per_batch;
    settings.images_per_class = config.criterion.supervised_imgs_per_class;
    settings.unique_classes = config.data.unique_classes_per_rank;
    settings.inner_epochs = inner_epochs_for(steps_per_epoch, dataset.classes(), settings);
    return settings;
}
}  // namespace

PawsLoader::PawsLoader(const Dataset& dataset, const config::Config& config)
    : dataset_(dataset),
      config_(config),
      unlabelled_sampler_(unlabelled_settings(dataset, config)),
      support_sampler_(dataset.labelled_targets(), dataset.classes(),
                       support_settings(dataset, config, unlabelled_sampler_.batches_per_epoch()))
{
}

void PawsLoader::start_epoch(std::int64_t epoch)
{
    pipeline_.reset();
    unlabelled_sampler_.set_epoch(epoch);
    support_sampler_.set_epoch(epoch);
    pipeline_ =
        std::make_unique<ViewPipeline>(dataset_.train, pipeline_settings(config_, training_batch_bytes(config_)),
                                       [this, epoch, step = std::int64_t{0}]() mutable { return plan(epoch, step++); });
}

std::optional<BatchPlan> PawsLoader::plan(std::int64_t epoch, std::int64_t step)
{
    const auto unlabelled = unlabelled_sampler_.next_batch();
    if (unlabelled.empty())
    {
        return std::nullopt;
    }
    const auto labelled = support_sampler_.next_batch();
    const kernels::AugmentKey key{static_cast<std::uint64_t>(config_.meta.seed), static_cast<std::uint32_t>(epoch)};
    const auto large_size = config_.data.crop_size;
    const auto small_size = config_.data.small_crop_size;
    const auto support_views = config_.criterion.supervised_views;
    const auto small_views = config_.data.multicrop;
    const auto labelled_count = static_cast<std::int64_t>(labelled.size());
    const auto unlabelled_count = static_cast<std::int64_t>(unlabelled.size());

    BatchPlan plan;
    plan.kinds = {RandomView{large_view_spec(config_.data), key}};
    plan.tensors = {empty_views(labelled_count * support_views, large_size),
                    empty_views(2 * unlabelled_count, large_size)};
    if (small_views > 0)
    {
        plan.kinds.emplace_back(RandomView{small_view_spec(config_.data), key});
        plan.tensors.push_back(empty_views(small_views * unlabelled_count, small_size));
    }
    plan.pictures.reserve(labelled.size() + unlabelled.size());
    const auto add = [&](std::int64_t row, std::int64_t place, std::int64_t first_number, std::int64_t pictures,
                         std::int64_t views, std::size_t kind, const torch::Tensor& into)
    {
        // View after view, the pictures in turn.
        for (std::int64_t v = 0; v < views; ++v)
        {
            plan.pictures.back().views.push_back(
                {kind, static_cast<std::uint32_t>(first_number + v), view_data(into, v * pictures + place)});
        }
        plan.pictures.back().row = row;
    };
    for (std::int64_t i = 0; i < labelled_count; ++i)
    {
        const auto row = dataset_.labelled[static_cast<std::size_t>(labelled[static_cast<std::size_t>(i)])];
        plan.pictures.emplace_back();
        add(row, i, first_support_view + step * support_views, labelled_count, support_views, 0, plan.tensors[0]);
    }
    for (std::int64_t i = 0; i < unlabelled_count; ++i)
    {
        const auto row = dataset_.unlabelled[static_cast<std::size_t>(unlabelled[static_cast<std::size_t>(i)])];
        plan.pictures.emplace_back();
        add(row, i, 0, unlabelled_count, 2, 0, plan.tensors[1]);
        if (small_views > 0)
        {
            add(row, i, 2, unlabelled_count, small_views, 1, plan.tensors[2]);
        }
    }
    return plan;
}

std::optional<PawsBatch> PawsLoader::next()
{
    const auto tensors = pipeline_->next();
    if (!tensors)
    {
        return std::nullopt;
    }
    return PawsBatch{channels_last((*tensors)[0]), channels_last((*tensors)[1]),
                     tensors->size() > 2 ? channels_last((*tensors)[2]) : torch::Tensor()};
}
}  // namespace paws::data
