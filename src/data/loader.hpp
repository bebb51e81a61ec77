#pragma once

#include <torch/types.h>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "src/data/samplers.hpp"
#include "src/data/view_source.hpp"

namespace paws::data
{
/// The views of one training step, channels-last float32, and their classes; what a loader does not make is undefined.
/// B: unlabelled images of all ranks that this process emulates.
struct Batch
{
    torch::Tensor supports;  ///< [ranks · classes · imgs · views, 3, S, S], the labelled images: rank after rank,
                             ///< view after view, classes in turn where they are stratified
    torch::Tensor large;     ///< [2B, 3, S, S], first views, then second views
    torch::Tensor small;     ///< [multicrop · B, 3, s, s], crop after crop; undefined when multicrop is 0
    torch::Tensor classes = {};  ///< int64, of the supports, where a method asks for them

    /// To be copied elsewhere, and assigned to.
    std::vector<torch::Tensor*> tensors() { return {&supports, &large, &small, &classes}; }
};

/// Batches of an epoch, prepared by threads of their own while the training step runs, or where the network is.
/// What a batch holds depends on configuration, epoch and position only, not on timing.
class Loader
{
public:
    virtual ~Loader() = default;

    virtual std::int64_t steps_per_epoch() const = 0;
    /// Of all ranks; what the speed is counted in.
    virtual std::int64_t images_per_step() const = 0;

    /// The next batch will be that of step `first_step` of the epoch; both from 0.
    virtual void start_epoch(std::int64_t epoch, std::int64_t first_step = 0) = 0;
    /// Waits for the next batch; nothing after the epoch's last one. Rethrows what went wrong while preparing it.
    virtual std::optional<Batch> next() = 0;

    /// The images of a step of the epoch that has been started, on this rank, by what they are for.
    virtual StepRows rows_of_step(std::int64_t step) const = 0;

    /// Where the samplers stand, the same on all ranks; as they were before the epoch that has begun. Empty where
    /// epochs do not depend on what came before.
    virtual SamplerState sampler_state() const = 0;
    /// Between epochs. Throws SamplerError for a state of another world or other batches.
    virtual void restore_samplers(const SamplerState& state) = 0;

    /// Seconds that next() has waited since start_epoch.
    double seconds_waited() const { return source_ ? source_->seconds_waited() : 0; }
    /// What threads have spent on the views of the last next(), beside the steps before.
    double seconds_making() const { return source_ ? source_->seconds_making() : 0; }
    /// Messages about corrupt images that were replaced since start_epoch (data.skip_broken).
    std::set<std::string> corrupt() const { return source_ ? source_->corrupt() : std::set<std::string>(); }

protected:
    /// Ends the epoch before, if there is one.
    void stop() { source_.reset(); }
    /// The source of the epoch, whose threads may use all members of the loader: its destructor calls stop().
    void begin(std::unique_ptr<ViewSource> source) { source_ = std::move(source); }
    std::optional<ViewBatch> next_views() { return source_->next(); }

private:
    std::unique_ptr<ViewSource> source_;
};
}  // namespace paws::data
