#pragma once

#include <vector>

#include "src/config/config.hpp"
#include "src/data/dataset.hpp"
#include "src/data/loader.hpp"
#include "src/data/rank_share.hpp"
#include "src/data/samplers.hpp"
#include "src/data/view_place.hpp"

namespace paws::data
{
/// Batches of unlabelled images, with class-stratified supports, but in epochs that don't use them (suncet_train).
class PawsLoader final : public Loader
{
public:
    /// `dataset` must outlive the loader, whose batches lie on `device`. Throws SamplerError when a batch cannot be
    /// filled, config::Error when data.augment_on cannot be.
    PawsLoader(const Dataset& dataset, const config::Config& config, const RankShare& share = {},
               torch::Device device = torch::kCPU);

    ~PawsLoader() override { stop(); }

    std::int64_t steps_per_epoch() const override { return samplers_.front().unlabelled.batches_per_epoch(); }
    std::int64_t images_per_step() const override;
    void start_epoch(std::int64_t epoch, std::int64_t first_step = 0) override;
    std::optional<Batch> next() override;
    StepRows rows_of_step(std::int64_t step) const override;
    SamplerState sampler_state() const override { return to_sampler_state(samplers_.front().supports.state()); }
    void restore_samplers(const SamplerState& state) override;

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

    /// Those of the next step of all ranks that this process emulates; no unlabelled ones after the last step.
    Rows draw(std::vector<Samplers>& samplers) const;
    std::optional<BatchPlan> plan(std::int64_t step);

    const Dataset& dataset_;
    const config::Config config_;
    const RankShare share_;
    const ViewPlace place_;
    std::vector<Samplers> samplers_;
    std::int64_t epoch_ = 0;
    std::vector<Samplers> epoch_start_;  ///< as they are before its first step
};
}  // namespace paws::data
