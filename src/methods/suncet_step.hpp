#pragma once

#include "src/data/paws_loader.hpp"
#include "src/device/precision.hpp"
#include "src/loss/contrastive_settings.hpp"
#include "src/loss/support_labels.hpp"
#include "src/nn/encoder.hpp"
#include "src/optim/loss_scaler.hpp"

namespace paws::methods
{
/// The two parts of the loss, 0-dimensional; what is minimised is their sum.
struct SuncetLoss
{
    torch::Tensor simclr;  ///< of the unlabelled images' views
    torch::Tensor suncet;  ///< of the labelled images; 0 for a batch without them
};

/// Forward and backward pass of one step of SimCLR with SuNCEt: afterwards the parameters hold the gradients of the
/// sum of both losses. All images go through the network together; a batch without supports trains SimCLR alone.
/// `labels`: those of the supports of all ranks, on the network's device as the batch is. `scaler`: as in
/// paws_forward_backward.
SuncetLoss suncet_forward_backward(nn::Encoder& encoder, const data::PawsBatch& batch,
                                   const std::shared_ptr<const loss::SupportLabels>& labels,
                                   const loss::ContrastiveSettings& settings, device::Precision precision,
                                   const optim::LossScaler* scaler = nullptr);
}  // namespace paws::methods
