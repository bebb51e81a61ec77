#pragma once

#include <torch/types.h>

#include <cstdint>

namespace paws::optim
{
struct LossScalerSettings
{
    double first_scale = 65536;
    double growth = 2;
    double backoff = 0.5;
    std::int64_t growth_interval = 2000;  ///< steps without an overflow after which the scale grows
};

/// Where a LossScaler stands, on the host.
struct LossScalerState
{
    double scale = 0;
    std::int64_t good_steps = 0;  ///< since the scale has changed

    bool operator==(const LossScalerState&) const = default;
};

/// The factor that a loss is multiplied by before the backward pass, so that small gradients do not vanish in float16
/// (arXiv 1710.03740): it grows when gradients have been finite for a while, and is halved when they overflow, by the
/// rule of PyTorch's GradScaler. Its state lies on the device of the training and is changed there: nobody waits.
class LossScaler
{
public:
    explicit LossScaler(torch::Device device, const LossScalerSettings& settings = {});

    /// float32, 0-dimensional, on the device; the same tensor at all times.
    const torch::Tensor& scale() const { return scale_; }

    /// After a step: `overflowed`, an integer, 0-dimensional, on the device, is not zero where gradients have
    /// overflowed. A scale that has no room to grow in float32 stays.
    void update(const torch::Tensor& overflowed);

    /// Waits for the device.
    LossScalerState state() const;
    void restore(const LossScalerState& state);

private:
    LossScalerSettings settings_;
    torch::Tensor scale_;
    torch::Tensor good_steps_;  ///< int32, 0-dimensional
};

/// The backward pass of a loss, 0-dimensional: gradients are multiplied by the scale of `scaler`, if there is one.
void scaled_backward(const torch::Tensor& loss, const LossScaler* scaler);
}  // namespace paws::optim
