#pragma once

#include "src/device/precision.hpp"
#include "src/loss/contrastive_settings.hpp"
#include "src/loss/support_labels.hpp"
#include "src/nn/encoder.hpp"
#include "src/optim/loss_scaler.hpp"

namespace paws::methods
{
/// Forward and backward pass of one step of snn_fine_tune: afterwards the parameters hold the gradients of the SuNCEt
/// loss of the labelled images, which is returned, 0-dimensional. views: [N, 3, S, S], of this rank; labels: those of
/// all ranks' rows; all on the network's device. `scaler`: as in paws_forward_backward.
torch::Tensor snn_forward_backward(nn::Encoder& encoder, const torch::Tensor& views,
                                   const std::shared_ptr<const loss::SupportLabels>& labels,
                                   const loss::ContrastiveSettings& settings, device::Precision precision,
                                   const optim::LossScaler* scaler = nullptr);

/// Means over a batch, 0-dimensional.
struct ClassifierValues
{
    torch::Tensor cross_entropy;
    torch::Tensor top1;  ///< share of the images whose class has the largest logit, in training mode
};

/// Forward and backward pass of one step of fine_tune: afterwards the parameters hold the gradients of the mean
/// cross-entropy −log softmax(logits)[class]. views: [N, 3, S, S]; classes: int64 [N]; device and scaler as above.
ClassifierValues classifier_forward_backward(nn::Encoder& encoder, const torch::Tensor& views,
                                             const torch::Tensor& classes, device::Precision precision,
                                             const optim::LossScaler* scaler = nullptr);
}  // namespace paws::methods
