// How a run resumes from a checkpoint: what must be the same, and what the user should know of the rest.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "io/base/error.hpp"
#include "io/base/quantity.hpp"
#include "src/train/trainer.hpp"

namespace paws::train
{
void Trainer::resume(const std::filesystem::path& checkpoint)
{
    const auto data = progress_.data;
    progress_ = checkpoint::resume_from(checkpoint, *encoder_, *optimizer_, config_);
    require_same_data(checkpoint, data);
    auto& meters = progress_.meters;
    if (progress_.world_size == share_.world_size)
    {
        require_possible_place(checkpoint);
        loader_->restore_samplers(progress_.samplers);
    }
    else
    {
        // Batches of another world: places in epochs stay, steps and samplers are those of this one.
        if (progress_.world_size > 0)
        {
            note_other_world(checkpoint);
        }
        meters = meters.in_steps_of(loader_->images_per_step());
        progress_.world_size = share_.world_size;
        progress_.steps_done = progress_.epochs_done * loader_->steps_per_epoch() + meters.steps;
        progress_.samplers = loader_->sampler_state();
    }
    means_ = checkpoint::Means(meters.sums, meters.counted);
    const auto rank = static_cast<std::size_t>(communicator_->rank());
    const bool same_ranks = meters.own_sums.size() == static_cast<std::size_t>(communicator_->world_size());
    own_means_ = same_ranks ? checkpoint::Means(meters.own_sums[rank], meters.own_counted[rank]) : means_;
    if (scaler_ && progress_.scaler)
    {
        scaler_->restore(*progress_.scaler);
    }
    if (const auto before = std::exchange(progress_.epochs_before, std::nullopt))
    {
        note_other_epochs(checkpoint, *before);
    }
}

void Trainer::require_same_data(const std::filesystem::path& checkpoint, const data::Content& data)
{
    if (progress_.data.empty() && !data.empty())
    {
        progress_.notes.push_back(
            fmt::format("{} does not say which data it was trained on, so that they cannot be compared with {}",
                        checkpoint.string(), source_));
    }
    const auto found = data::differences(progress_.data, data);
    if (!found.empty())
    {
        throw io::Error(fmt::format(
            "{} was trained on other data than {} holds now ({}); restore them, or start anew with --resume "
            "never or another logging.folder",
            checkpoint.string(), source_, fmt::join(found, ", ")));
    }
    progress_.data = data;
}

/// For checkpoints that do not say which data they are of.
void Trainer::require_possible_place(const std::filesystem::path& checkpoint) const
{
    const auto steps = loader_->steps_per_epoch();
    const auto in_epoch = progress_.meters.steps;
    if (in_epoch <= steps && progress_.steps_done == progress_.epochs_done * steps + in_epoch)
    {
        return;
    }
    const auto before = progress_.epochs_done > 0
                            ? io::plural((progress_.steps_done - in_epoch) / progress_.epochs_done, "step")
                            : "at least " + io::plural(in_epoch, "step");
    throw io::Error(
        fmt::format("{} is of a run with {} an epoch, and {} gives {}: these are other data; restore "
                    "them, or start anew with --resume never or another logging.folder",
                    checkpoint.string(), before, source_, steps));
}

void Trainer::note_other_world(const std::filesystem::path& checkpoint)
{
    const auto before = progress_.world_size;
    const auto of_rank = loader_->images_per_step() / share_.world_size;
    const auto ranks = communicator_->world_size();
    std::string remedy = fmt::format("meta.emulate_world: {}", before);
    if (before % ranks != 0)
    {
        std::vector<std::int64_t> divisors;
        for (std::int64_t divisor = 2; divisor < before; ++divisor)
        {
            if (before % divisor == 0)
            {
                divisors.push_back(divisor);
            }
        }
        const auto fewer = divisors.empty() ? std::string("1") : fmt::format("1, {}", fmt::join(divisors, ", "));
        remedy = before == 1
                     ? std::string("a single rank")
                     : fmt::format("a run on {} ranks, or on {} with meta.emulate_world: {},", before, fewer, before);
    }
    progress_.notes.push_back(
        fmt::format("{} is of {}, this run computes for {}: a step has {} instead of {}, and the "
                    "supports of as many ranks; {} keeps the mathematics",
                    checkpoint.string(), io::plural(before, "rank"), share_.world_size,
                    io::plural(of_rank * share_.world_size, "image"), of_rank * before, remedy));
}

void Trainer::note_other_epochs(const std::filesystem::path& checkpoint, std::int64_t epochs_before)
{
    auto before = schedule_;
    before.total_steps = epochs_before * loader_->steps_per_epoch();
    const auto step = progress_.steps_done;
    progress_.notes.push_back(fmt::format(
        "{} is of a run of {}, this one has {}: the learning rate follows the schedule of {} epochs from here "
        "on; it is {:.3g} next instead of {:.3g}, and comes to {:.3g} at the end",
        checkpoint.string(), io::plural(epochs_before, "epoch"), config_.optimization.epochs,
        config_.optimization.epochs, schedule_.at(step), before.at(std::min(step, before.total_steps)),
        config_.optimization.final_lr));
}
}  // namespace paws::train
