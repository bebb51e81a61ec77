#pragma once

#include "src/data/paws_loader.hpp"
#include "src/device/precision.hpp"
#include "src/loss/paws_loss.hpp"
#include "src/nn/encoder.hpp"
#include "src/optim/loss_scaler.hpp"

namespace paws::methods
{
/// Forward and backward pass of one PAWS step: afterwards the parameters hold the gradients of loss + me-max.
/// Supports and large views go through the network together, small views after them. The batch lies on the network's
/// device, as the labels do. With a scaler the gradients are of the scaled loss; the value is not scaled.
loss::PawsLoss paws_forward_backward(nn::Encoder& encoder, const data::PawsBatch& batch,
                                     const std::shared_ptr<const loss::SupportLabels>& labels,
                                     const loss::PawsLossSettings& settings, device::Precision precision,
                                     const optim::LossScaler* scaler = nullptr);
}  // namespace paws::methods
