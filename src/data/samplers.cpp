#include "src/data/samplers.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <torch/types.h>

#include <algorithm>

#include "io/base/quantity.hpp"

namespace paws::data
{
namespace
{
std::vector<std::int64_t> draw_permutation(std::int64_t size, const at::Generator& generator)
{
    const auto permutation = torch::randperm(size, generator, torch::dtype(torch::kInt64).device(torch::kCPU));
    const auto* first = permutation.data_ptr<std::int64_t>();
    return {first, first + size};
}

at::Generator make_generator(std::int64_t seed)
{
    return at::detail::createCPUGenerator(static_cast<std::uint64_t>(seed));
}

void require(bool condition, const std::string& message)
{
    if (!condition)
    {
        throw SamplerError(message);
    }
}

void check_rank(std::int64_t rank, std::int64_t world_size)
{
    require(world_size >= 1 && rank >= 0 && rank < world_size,
            "sampler: rank " + std::to_string(rank) + " of " + std::to_string(world_size) + " does not exist");
}

std::int64_t ceil_divide(std::int64_t a, std::int64_t b)
{
    return (a + b - 1) / b;
}

std::int64_t classes_per_step(const ClassStratifiedSampler::Settings& settings)
{
    return settings.classes_per_batch * (settings.unique_classes ? settings.world_size : 1);
}

void check_classes(std::int64_t num_classes, const ClassStratifiedSampler::Settings& settings)
{
    check_rank(settings.rank, settings.world_size);
    require(settings.classes_per_batch >= 1 && settings.images_per_class >= 1 && settings.inner_epochs >= 1,
            "support sampler: classes per batch, images per class and inner epochs must be at least 1");
    const std::string classes = io::plural(num_classes, "class", "es");
    const std::string per_batch = std::to_string(settings.classes_per_batch);
    if (settings.unique_classes)
    {
        require(classes_per_step(settings) <= num_classes,
                "criterion.classes_per_batch: " + per_batch + " different classes on each of " +
                    io::plural(settings.world_size, "rank") + " are more than the " + classes +
                    " there are; lower it to at most " + std::to_string(num_classes / settings.world_size) +
                    ", use fewer ranks, or set data.unique_classes_per_rank: false");
        return;
    }
    require(settings.classes_per_batch <= num_classes,
            "criterion.classes_per_batch: " + per_batch + " is more than the " + classes + " there are; lower it");
    require(num_classes % settings.classes_per_batch == 0,
            "criterion.classes_per_batch: " + per_batch + " does not divide the " + classes +
                " evenly; choose a divisor, or set data.unique_classes_per_rank: true");
}

std::vector<std::vector<std::int64_t>> group_by_class(const std::vector<std::int64_t>& targets,
                                                      std::int64_t num_classes)
{
    std::vector<std::vector<std::int64_t>> groups(num_classes);
    for (std::size_t i = 0; i < targets.size(); ++i)
    {
        require(targets[i] >= 0 && targets[i] < num_classes,
                "labelled image " + std::to_string(i) + " has class " + std::to_string(targets[i]) +
                    ", but the classes are 0 to " + std::to_string(num_classes - 1));
        groups[targets[i]].push_back(static_cast<std::int64_t>(i));
    }
    return groups;
}
}  // namespace

std::vector<std::int64_t> random_permutation(std::int64_t size, std::uint64_t seed)
{
    return draw_permutation(size, at::detail::createCPUGenerator(seed));
}

DistributedSampler::DistributedSampler(Settings settings) : settings_(settings)
{
    check_rank(settings_.rank, settings_.world_size);
    require(settings_.size >= 1, "sampler: there are no images");
    require(settings_.batch_size >= 1, "sampler: batch size must be at least 1");
    require(batches_per_epoch() >= 1, "a batch of " + io::plural(settings_.batch_size, "image") + " on each of " +
                                          io::plural(settings_.world_size, "rank") + " is more than the " +
                                          std::to_string(settings_.size) +
                                          " images there are; lower the batch size or use fewer ranks");
    set_epoch(0);
}

std::int64_t DistributedSampler::batches_per_epoch() const
{
    const std::int64_t share = ceil_divide(settings_.size, settings_.world_size);
    return settings_.drop_last ? share / settings_.batch_size : ceil_divide(share, settings_.batch_size);
}

void DistributedSampler::set_epoch(std::int64_t epoch)
{
    const auto all = draw_permutation(settings_.size, make_generator(settings_.seed + epoch));
    const std::int64_t share = ceil_divide(settings_.size, settings_.world_size);
    order_.resize(share);
    for (std::int64_t i = 0; i < share; ++i)
    {
        order_[i] = all[(settings_.rank + i * settings_.world_size) % settings_.size];
    }
    epoch_ = epoch;
    batches_given_ = 0;
}

std::vector<std::int64_t> DistributedSampler::next_batch()
{
    if (batches_given_ == batches_per_epoch())
    {
        return {};
    }
    const std::int64_t first = batches_given_ * settings_.batch_size;
    const std::int64_t last = std::min<std::int64_t>(first + settings_.batch_size, std::ssize(order_));
    ++batches_given_;
    return {order_.begin() + first, order_.begin() + last};
}

void DistributedSampler::restore(const State& state)
{
    require(state.epoch >= 0 && state.batches_given >= 0 && state.batches_given <= batches_per_epoch(),
            "sampler state: " + std::to_string(state.batches_given) + " batches of epoch " +
                std::to_string(state.epoch) + " were given, but an epoch has " + std::to_string(batches_per_epoch()) +
                "; the checkpoint comes from a run with other data, batch size or number of ranks");
    set_epoch(state.epoch);
    batches_given_ = state.batches_given;
}

ClassStratifiedSampler::ClassStratifiedSampler(const std::vector<std::int64_t>& targets, std::int64_t num_classes,
                                               Settings settings)
    : settings_(settings), num_classes_(num_classes), permutation_seed_(settings.seed)
{
    check_classes(num_classes_, settings_);
    images_of_class_ = group_by_class(targets, num_classes_);
    for (std::int64_t c = 0; c < num_classes_; ++c)
    {
        auto& images = images_of_class_[c];
        const auto all = std::ssize(images);
        // Ranks that see the same classes share their images out, unless there are fewer images than ranks.
        const auto share = settings_.unique_classes ? 0 : all / settings_.world_size;
        if (share > 0)
        {
            images = {images.begin() + settings_.rank * share, images.begin() + (settings_.rank + 1) * share};
        }
        require(std::ssize(images) >= settings_.images_per_class,
                "class " + std::to_string(c) + " has " + io::plural(all, "labelled image") + ", " +
                    std::to_string(images.size()) + " of them on each of " + io::plural(settings_.world_size, "rank") +
                    ", fewer than the " + std::to_string(settings_.images_per_class) +
                    " a batch takes; lower criterion.supervised_imgs_per_class (snn_fine_tune: "
                    "criterion.supervised_batch_size) or label more images");
    }
}

std::int64_t ClassStratifiedSampler::batches_per_pass() const
{
    return num_classes_ / classes_per_step(settings_);
}

/// Draws the orders of the current pass, that of the classes and, class by class, those of the images.
void ClassStratifiedSampler::prepare_pass()
{
    class_order_ = draw_permutation(num_classes_, make_generator(permutation_seed_));

    const std::int64_t pass = batches_given_ / batches_per_pass();
    const auto generator = make_generator(settings_.seed + pass + settings_.inner_epochs * settings_.rank +
                                          epoch_ * settings_.inner_epochs * settings_.world_size);
    shuffled_ = images_of_class_;
    for (std::int64_t c = 0; c < num_classes_; ++c)
    {
        const auto& images = images_of_class_[c];
        // One image alone costs no random number in the published sampler.
        if (images.size() > 1)
        {
            const auto order = draw_permutation(std::ssize(images), generator);
            std::transform(order.begin(), order.end(), shuffled_[c].begin(), [&](std::int64_t i) { return images[i]; });
        }
    }
}

std::vector<std::int64_t> ClassStratifiedSampler::next_batch()
{
    const std::int64_t step = batches_given_ % batches_per_pass();
    if (step == 0)
    {
        if (batches_given_ == 0)
        {
            epoch_ = next_epoch_;
        }
        ++permutation_seed_;
        prepare_pass();
    }

    const std::int64_t rank_offset = settings_.unique_classes ? settings_.rank * settings_.classes_per_batch : 0;
    const auto first_class = class_order_.begin() + rank_offset + step * classes_per_step(settings_);
    std::vector<std::int64_t> batch;
    batch.reserve(settings_.images_per_class * settings_.classes_per_batch);
    for (std::int64_t i = 0; i < settings_.images_per_class; ++i)
    {
        std::for_each_n(first_class, settings_.classes_per_batch,
                        [&](std::int64_t c) { batch.push_back(shuffled_[c][i]); });
    }

    if (++batches_given_ == batches_per_sequence())
    {
        batches_given_ = 0;
        // The published sampler draws an order of the classes for a pass that does not come.
        ++permutation_seed_;
    }
    return batch;
}

ClassStratifiedSampler::State ClassStratifiedSampler::state() const
{
    return {next_epoch_, epoch_, batches_given_, permutation_seed_};
}

void ClassStratifiedSampler::restore(const State& state)
{
    require(state.next_epoch >= 0 && state.epoch >= 0 && state.permutation_seed >= settings_.seed &&
                state.batches_given >= 0 && state.batches_given < batches_per_sequence(),
            "support sampler state: " + std::to_string(state.batches_given) +
                " batches were given of a sequence that has " + std::to_string(batches_per_sequence()) +
                "; the checkpoint comes from a run with other data, batch sizes or number of ranks");
    next_epoch_ = state.next_epoch;
    epoch_ = state.epoch;
    batches_given_ = state.batches_given;
    permutation_seed_ = state.permutation_seed;
    if (batches_given_ % batches_per_pass() != 0)
    {
        prepare_pass();
    }
}

SamplerState to_sampler_state(const ClassStratifiedSampler::State& state)
{
    return {{"support_next_epoch", state.next_epoch},
            {"support_epoch", state.epoch},
            {"support_batches_given", state.batches_given},
            {"support_permutation_seed", state.permutation_seed}};
}

ClassStratifiedSampler::State from_sampler_state(const SamplerState& state)
{
    const auto value = [&](const std::string& name)
    {
        const auto found = state.find(name);
        require(found != state.end(),
                "support sampler state: there is no '" + name + "'; training cannot resume from this checkpoint");
        return found->second;
    };
    return {value("support_next_epoch"), value("support_epoch"), value("support_batches_given"),
            value("support_permutation_seed")};
}

std::int64_t inner_epochs_for(std::int64_t batches, std::int64_t num_classes,
                              const ClassStratifiedSampler::Settings& settings)
{
    check_classes(num_classes, settings);
    return std::max<std::int64_t>(1, ceil_divide(batches, num_classes / classes_per_step(settings)));
}
}  // namespace paws::data
