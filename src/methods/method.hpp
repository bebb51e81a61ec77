#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "src/comm/communicator.hpp"
#include "src/config/config.hpp"
#include "src/data/dataset.hpp"
#include "src/data/rank_share.hpp"
#include "src/data/samplers.hpp"
#include "src/device/precision.hpp"
#include "src/logging/step_values.hpp"
#include "src/nn/encoder.hpp"
#include "src/optim/loss_scaler.hpp"

namespace paws::methods
{
/// What is learned, and from which images: the part of training in which the tasks differ.
class Method
{
public:
    virtual ~Method() = default;

    virtual std::int64_t steps_per_epoch() const = 0;
    /// Of all ranks; what the speed is counted in.
    virtual std::int64_t images_per_step() const = 0;

    /// The next step will be `first_step` of the epoch; both from 0.
    virtual void start_epoch(std::int64_t epoch, std::int64_t first_step) = 0;
    /// Waits for the images of the next step; false when the epoch is over. Rethrows what went wrong with them.
    virtual bool next() = 0;
    /// Forward and backward pass of the step that next() has prepared: afterwards the parameters hold the gradients of
    /// the loss, multiplied by the scale of `scaler` if there is one. Returns the step's values, 0-dimensional, on the
    /// device and of this rank's images, as columns() names them. Collective.
    virtual std::vector<torch::Tensor> forward_backward(nn::Encoder& encoder, device::Precision precision,
                                                        const optim::LossScaler* scaler) = 0;
    /// What forward_backward reads of the step that next() has prepared: to be copied elsewhere, and assigned to.
    /// Undefined ones are among them.
    virtual std::vector<torch::Tensor*> inputs() = 0;

    /// The images of a step of the epoch, on this rank, by what they are for.
    virtual data::StepRows rows_of_step(std::int64_t step) const = 0;

    /// Seconds that next() has waited since start_epoch.
    virtual double seconds_waited() const = 0;
    /// What the loader's threads have spent on the views of the last next(), beside the steps before.
    virtual double seconds_making() const = 0;
    /// What was said of the broken images that were replaced since start_epoch (data.skip_broken).
    virtual std::set<std::string> broken() const = 0;

    /// Where the samplers stand, the same on all ranks; as they were before the epoch that has begun.
    virtual data::SamplerState sampler_state() const = 0;
    /// Throws data::SamplerError for a state of another world or other batches.
    virtual void restore_samplers(const data::SamplerState& state) = 0;

    /// Whether batch norm uses its running statistics in training, and leaves them as they are.
    virtual bool freezes_statistics() const { return false; }

    /// The names of the values, those of the published CSV files where there are any.
    virtual std::vector<std::string> columns() const = 0;
    /// What is minimised, from the values of a step; the sum of all, unless a method logs more.
    virtual double loss_of(const logging::StepValues& values) const;
    /// The values for people who watch the run.
    virtual std::string describe(const logging::StepValues& values) const = 0;
};

/// Throws config::Error for a task that does not train, or when the batches of all ranks leave nothing to learn from.
void require_learnable(const config::Config& config, std::int64_t world_size);

/// The method of config.task, for the mathematics of share.world_size ranks, which `communicator` connects (fewer may
/// stand for them), with batches on `device`. `dataset` must outlive it. Throws as require_learnable does, and when a
/// batch cannot be filled.
std::unique_ptr<Method> make_method(const config::Config& config, const data::Dataset& dataset,
                                    const data::RankShare& share,
                                    const std::shared_ptr<comm::Communicator>& communicator, torch::Device device);
}  // namespace paws::methods
