#include "src/data/paws_loader.hpp"

#include <Kokkos_Core.hpp>
#include <chrono>

#include "src/data/augmentation.hpp"

namespace paws::data
{
namespace
{
/// Enough to bridge a slow batch; more would only hold memory.
constexpr std::size_t batches_ahead = 2;

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

PawsLoader::~PawsLoader()
{
    finish_thread();
}

void PawsLoader::finish_thread()
{
    if (producer_.joinable())
    {
        producer_.request_stop();
        changed_.notify_all();
        producer_.join();
    }
}

void PawsLoader::start_epoch(std::int64_t epoch)
{
    finish_thread();
    unlabelled_sampler_.set_epoch(epoch);
    support_sampler_.set_epoch(epoch);
    ready_.clear();
    failure_ = nullptr;
    finished_ = false;
    seconds_waited_ = 0;
    producer_ = std::jthread([this, epoch](const std::stop_token& stop) { produce(epoch, stop); });
}

void PawsLoader::produce(std::int64_t epoch, const std::stop_token& stop)
{
    try
    {
        for (std::int64_t step = 0; !stop.stop_requested(); ++step)
        {
            const auto positions = unlabelled_sampler_.next_batch();
            if (positions.empty())
            {
                break;
            }
            auto batch = prepare(epoch, step, positions);
            std::unique_lock lock(mutex_);
            if (!changed_.wait(lock, stop, [this] { return ready_.size() < batches_ahead; }))
            {
                break;
            }
            ready_.push_back(std::move(batch));
            changed_.notify_all();
        }
    }
    catch (...)
    {
        const std::lock_guard lock(mutex_);
        failure_ = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    finished_ = true;
    changed_.notify_all();
}

PawsBatch PawsLoader::prepare(std::int64_t epoch, std::int64_t step, const std::vector<std::int64_t>& positions)
{
    const kernels::AugmentKey key{static_cast<std::uint64_t>(config_.meta.seed), static_cast<std::uint32_t>(epoch)};
    const auto large = large_view_spec(config_.data);
    const auto pixels = dataset_.train.pixels;

    std::vector<std::int64_t> rows;
    std::vector<std::uint32_t> numbers;
    const auto add_views = [&](const std::vector<std::int64_t>& pictures, const std::vector<std::int64_t>& chosen,
                               std::int64_t first_number, std::int64_t views)
    {
        rows.clear();
        numbers.clear();
        for (std::int64_t v = 0; v < views; ++v)
        {
            for (const auto position : chosen)
            {
                rows.push_back(pictures[static_cast<std::size_t>(position)]);
                numbers.push_back(static_cast<std::uint32_t>(first_number + v));
            }
        }
    };

    PawsBatch batch;
    const auto support_views = config_.criterion.supervised_views;
    add_views(dataset_.labelled, support_sampler_.next_batch(), first_support_view + step * support_views,
              support_views);
    batch.supports = make_views(pixels, large, key, rows, numbers);
    add_views(dataset_.unlabelled, positions, 0, 2);
    batch.large = make_views(pixels, large, key, rows, numbers);
    if (config_.data.multicrop > 0)
    {
        add_views(dataset_.unlabelled, positions, 2, config_.data.multicrop);
        batch.small = make_views(pixels, small_view_spec(config_.data), key, rows, numbers);
    }
    return batch;
}

std::optional<PawsBatch> PawsLoader::next()
{
    const auto start = std::chrono::steady_clock::now();
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !ready_.empty() || finished_; });
    seconds_waited_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (ready_.empty())
    {
        if (failure_)
        {
            std::rethrow_exception(failure_);
        }
        return std::nullopt;
    }
    auto batch = std::move(ready_.front());
    ready_.pop_front();
    changed_.notify_all();
    return batch;
}
}  // namespace paws::data
