#pragma once

#include "src/data/paws_loader.hpp"
#include "src/loss/paws_loss.hpp"
#include "src/nn/encoder.hpp"
#include "src/nn/precision.hpp"

namespace paws::train
{
/// Forward and backward pass of one PAWS step: afterwards the parameters hold the gradients of loss + me-max.
/// Supports and large views go through the network together, small views after them.
loss::PawsLoss paws_forward_backward(nn::Encoder& encoder, const data::PawsBatch& batch,
                                     const std::shared_ptr<const loss::SupportLabels>& labels,
                                     const loss::PawsLossSettings& settings, nn::Precision precision);
}  // namespace paws::train
