#pragma once

#include <torch/types.h>

#include <vector>

#include "src/device/precision.hpp"
#include "src/nn/encoder.hpp"
#include "src/optim/loss_scaler.hpp"

namespace paws::methods
{
/// The forward pass of all `views` together, [N_i, 3, S_i, S_i] on the network's device; undefined ones but the first
/// are left out. What it gives is of the type that the precision computes in.
nn::Encoding forward(nn::Encoder& encoder, const std::vector<torch::Tensor>& views, device::Precision precision);

/// The backward pass of a loss, multiplied by the scale of `scaler` if there is one.
void backward(const torch::Tensor& loss, const optim::LossScaler* scaler);
}  // namespace paws::methods
