#pragma once

#include <variant>
#include <vector>

#include "src/config/config.hpp"
#include "src/data/dataset.hpp"
#include "src/data/loader.hpp"
#include "src/data/rank_share.hpp"
#include "src/data/samplers.hpp"
#include "src/data/view_place.hpp"

namespace paws::data
{
/// Batches of labelled images alone, with their classes, for fine-tuning.
///
/// snn_fine_tune: class-stratified, criterion.supervised_batch_size images of each of criterion.classes_per_batch
/// classes, criterion.supervised_views views each; an epoch is as many passes over the classes as a class has batches
/// of labelled images (the mean over the classes), which is what the published one comes to. fine_tune: each image
/// once, optimization.batch_size a rank, the last batch left out when it is not full.
class LabelledLoader final : public Loader
{
public:
    /// `dataset` must outlive the loader, whose batches lie on `device`. Throws SamplerError or config::Error when a
    /// batch cannot be filled, config::Error when data.augment_on cannot be.
    LabelledLoader(const Dataset& dataset, const config::Config& config, const RankShare& share = {},
                   torch::Device device = torch::kCPU);

    ~LabelledLoader() override { stop(); }

    std::int64_t steps_per_epoch() const override { return steps_per_epoch_; }
    std::int64_t images_per_step() const override;
    void start_epoch(std::int64_t epoch, std::int64_t first_step = 0) override;
    std::optional<Batch> next() override;
    StepRows rows_of_step(std::int64_t step) const override;
    /// Nothing for fine_tune.
    SamplerState sampler_state() const override;
    void restore_samplers(const SamplerState& state) override;

private:
    using Sampler = std::variant<DistributedSampler, ClassStratifiedSampler>;

    /// Whether batches are class-stratified.
    bool is_stratified() const;
    /// The rows of the next step, rank after rank, equally many of each.
    std::vector<std::int64_t> draw(std::vector<Sampler>& samplers) const;
    std::optional<BatchPlan> plan(std::int64_t step);

    const Dataset& dataset_;
    const config::Config config_;
    const RankShare share_;
    const ViewPlace place_;
    std::vector<Sampler> samplers_;  ///< of each rank that this process emulates
    std::int64_t epoch_ = 0;
    std::vector<Sampler> epoch_start_;  ///< as they are before its first step
    std::int64_t steps_per_epoch_ = 0;
};
}  // namespace paws::data
