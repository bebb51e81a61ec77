#pragma once

#include <torch/torch.h>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "src/config/config.hpp"
#include "src/data/dataset.hpp"
#include "src/data/rank_share.hpp"
#include "src/data/samplers.hpp"
#include "src/data/view_place.hpp"

namespace paws::data
{
/// The labelled images of one training step, of all ranks that this one stands for.
struct LabelledBatch
{
    torch::Tensor views;    ///< float32 [ranks · n · v, 3, S, S], channels-last: rank after rank, view after view
    torch::Tensor classes;  ///< int64 [ranks · n · v]
};

/// Batches of labelled images alone, for fine-tuning, prepared by threads of their own while the training step runs,
/// or where the network is.
/// What a batch holds depends on configuration, epoch and position only.
///
/// snn_fine_tune: class-stratified, criterion.supervised_batch_size images of each of criterion.classes_per_batch
/// classes, criterion.supervised_views views each; an epoch is as many passes over the classes as a class has batches
/// of labelled images (the mean over the classes), which is what the published one comes to. fine_tune: each image
/// once, optimization.batch_size a rank, the last batch left out when it is not full.
class LabelledLoader
{
public:
    using Batch = LabelledBatch;

    /// `dataset` must outlive the loader, whose batches lie on `device`. Throws SamplerError or config::Error when a
    /// batch cannot be filled, config::Error when data.augment_on cannot be.
    LabelledLoader(const Dataset& dataset, const config::Config& config, const RankShare& share = {},
                   torch::Device device = torch::kCPU);

    std::int64_t steps_per_epoch() const { return steps_per_epoch_; }

    /// The next batch will be that of step `first_step` (from 0) of the epoch.
    void start_epoch(std::int64_t epoch, std::int64_t first_step = 0);

    /// The next batch, nothing after the epoch's last one. Rethrows what went wrong while preparing it.
    std::optional<LabelledBatch> next();

    /// Of a step of the epoch that has been started.
    StepRows rows_of_step(std::int64_t step) const;

    double seconds_waited() const { return source_ ? source_->seconds_waited() : 0; }
    /// As ViewSource's.
    double seconds_making() const { return source_ ? source_->seconds_making() : 0; }
    std::set<std::string> broken() const { return source_ ? source_->broken() : std::set<std::string>(); }

    /// As PawsLoader's; nothing for fine_tune, whose epochs do not depend on what came before.
    SamplerState sampler_state() const;
    void restore_samplers(const SamplerState& state);

private:
    using Sampler = std::variant<DistributedSampler, ClassStratifiedSampler>;

    /// The rows of the next step, rank after rank, equally many of each.
    std::vector<std::int64_t> draw(std::vector<Sampler>& samplers) const;
    std::optional<BatchPlan> plan(std::int64_t step);

    const Dataset& dataset_;
    const config::Config config_;
    const RankShare share_;
    const ViewPlace place_;
    std::vector<Sampler> samplers_;  ///< of each rank that this one stands for
    std::int64_t epoch_ = 0;
    std::vector<Sampler> epoch_start_;  ///< as they are before its first step
    std::int64_t steps_per_epoch_ = 0;
    std::unique_ptr<ViewSource> source_;  // its threads use all the other members
};
}  // namespace paws::data
