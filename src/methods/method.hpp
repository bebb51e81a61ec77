#pragma once

#include <torch/types.h>

#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "src/config/config.hpp"
#include "src/data/loader.hpp"
#include "src/device/precision.hpp"
#include "src/logging/step_values.hpp"
#include "src/nn/encoder.hpp"
#include "src/optim/loss_scaler.hpp"

namespace paws::methods
{
/// Rows of embeddings that ranks exchange in a step, of one rank whose mathematics is computed.
struct GatheredRows
{
    std::int64_t forward = 0;   ///< that it gives to the gathers for the loss
    std::int64_t backward = 0;  ///< whose gradients are reduced
};

/// What is learned from a batch: the part of training in which the tasks differ.
class Method
{
public:
    virtual ~Method() = default;

    /// Forward and backward pass: afterwards the parameters hold the gradients of the loss, multiplied by the scale of
    /// `scaler` if there is one. The batch lies on the network's device. Returns the step's values, which are not
    /// scaled: 0-dimensional, on that device and of this rank's images, as columns() names them. Collective.
    virtual std::vector<torch::Tensor> forward_backward(nn::Encoder& encoder, const data::Batch& batch,
                                                        device::Precision precision,
                                                        const optim::LossScaler* scaler = nullptr) = 0;

    /// Whether batch norm uses its running statistics in training, and leaves them as they are.
    virtual bool freezes_statistics() const { return false; }

    /// The names of the values, those of the published CSV files where there are any.
    virtual std::vector<std::string> columns() const = 0;
    /// What is minimised, from the values of a step; the sum of all, unless a method logs more.
    virtual double loss_of(const logging::StepValues& values) const
    {
        return std::accumulate(values.begin(), values.end(), 0.0);
    }
    /// The values as the progress line shows them.
    virtual std::string describe(const logging::StepValues& values) const = 0;

    /// For the timings of a run.
    virtual GatheredRows gathered_rows(const config::Config&) const { return {}; }
};
}  // namespace paws::methods
