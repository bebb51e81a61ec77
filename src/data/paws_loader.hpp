#pragma once

#include <torch/torch.h>

#include <memory>
#include <optional>
#include <set>
#include <string>

#include "src/config/config.hpp"
#include "src/data/dataset.hpp"
#include "src/data/rank_share.hpp"
#include "src/data/samplers.hpp"
#include "src/data/view_place.hpp"

namespace paws::data
{
/// The images of one training step, channels-last float32. B: of all ranks that this one stands for.
struct PawsBatch
{
    torch::Tensor supports;  ///< [ranks · classes · imgs · views, 3, S, S], rank after rank, view after view, classes
                             ///< in turn; undefined in epochs that don't use them (suncet_train)
    torch::Tensor large;  ///< [2B, 3, S, S], first views, then second views
    torch::Tensor small;  ///< [multicrop · B, 3, s, s], crop after crop; undefined when multicrop is 0
};

/// Batches of an epoch, prepared by threads of their own while the training step runs, or where the network is.
/// What a batch holds depends on configuration, epoch and position only, not on timing.
class PawsLoader
{
public:
    using Batch = PawsBatch;

    /// `dataset` must outlive the loader, whose batches lie on `device`. Throws SamplerError when a batch cannot be
    /// filled, config::Error when data.augment_on cannot be.
    PawsLoader(const Dataset& dataset, const config::Config& config, const RankShare& share = {},
               torch::Device device = torch::kCPU);

    std::int64_t steps_per_epoch() const { return samplers_.front().unlabelled.batches_per_epoch(); }

    /// The next batch will be that of step `first_step` (from 0) of the epoch.
    void start_epoch(std::int64_t epoch, std::int64_t first_step = 0);

    /// The next batch, nothing after the epoch's last one. Rethrows what went wrong while preparing it.
    std::optional<PawsBatch> next();

    /// Seconds that next() has waited since start_epoch.
    double seconds_waited() const { return source_ ? source_->seconds_waited() : 0; }

    /// As ViewSource's.
    double seconds_making() const { return source_ ? source_->seconds_making() : 0; }

    /// What was said of the broken images that were replaced since start_epoch (data.skip_broken).
    std::set<std::string> broken() const { return source_ ? source_->broken() : std::set<std::string>(); }

    /// Of a step of the epoch that has been started.
    StepRows rows_of_step(std::int64_t step) const;

    /// Where the support samplers stand, the same on all ranks; taken and given back between epochs.
    SamplerState sampler_state() const { return to_sampler_state(samplers_.front().supports.state()); }
    /// Throws SamplerError for a state of another world or other batches.
    void restore_samplers(const SamplerState& state);

private:
    /// Of one rank of the world.
    struct Samplers
    {
        DistributedSampler unlabelled;
        ClassStratifiedSampler supports;
    };

    struct Rows
    {
        std::vector<std::int64_t> supports, unlabelled;
    };

    /// Those of the next step of all ranks that this one stands for; no unlabelled ones after the last step.
    Rows draw(std::vector<Samplers>& samplers) const;
    std::optional<BatchPlan> plan(std::int64_t step);

    const Dataset& dataset_;
    const config::Config config_;
    const RankShare share_;
    const ViewPlace place_;
    std::vector<Samplers> samplers_;
    std::int64_t epoch_ = 0;
    std::vector<Samplers> epoch_start_;   // as they are before its first step
    std::unique_ptr<ViewSource> source_;  // its threads use all the other members
};
}  // namespace paws::data
