#pragma once

#include <torch/types.h>

#include "src/nn/batch_norm.hpp"

namespace paws::nn
{
/// Batch normalisation, followed by ReLU where `relu` says so, in one pass over the memory: [relu](bn(x)) with the
/// statistics, parameters and running averages of `bn`, which are used and updated as bn->forward(x) would. x: [N, C,
/// H, W], float32, float64, bfloat16 or float16; the result has x's type and channels-last order. In training the
/// statistics are those of the batch, over all of bn.ranks: one small reduction forward and one backward, whose
/// gradients of weight and bias stay this rank's own. A layer in evaluation mode uses the running ones and leaves them
/// as they are, with gradients all the same: bn->eval() inside a network in training freezes the statistics. Statistics
/// and parameters are float32 (float64 for float64 images), whatever the images are stored in. Throws
/// std::invalid_argument when shape or type do not fit.
torch::Tensor fused_batch_norm(BatchNorm2dImpl& bn, const torch::Tensor& x, bool relu);

/// Images on two ways.
struct Fork
{
    torch::Tensor normalised;
    torch::Tensor shortcut;
};

/// The beginning of a residual block that normalises first: relu(bn(x)), and x itself for the shortcut. Their gradients
/// are added in the pass that computes x's. Otherwise like fused_batch_norm.
Fork fused_batch_norm_relu_fork(BatchNorm2dImpl& bn, const torch::Tensor& x);

/// The end of a residual block in one pass: relu(bn(x) + shortcut), with gradients for both. shortcut: as x, but any
/// floating type, which is converted to x's. Otherwise like fused_batch_norm.
torch::Tensor fused_batch_norm_add_relu(BatchNorm2dImpl& bn, const torch::Tensor& x, const torch::Tensor& shortcut);

/// The end of a residual block whose shortcut is projected and normalised: relu(bn(x) + shortcut_bn(shortcut)) in one
/// pass, with one reduction over ranks each way for both layers. shortcut: what the projection gives, of x's shape.
/// Both layers are in training or neither is. Otherwise like fused_batch_norm.
torch::Tensor fused_batch_norm_pair_relu(BatchNorm2dImpl& bn, const torch::Tensor& x, BatchNorm2dImpl& shortcut_bn,
                                         const torch::Tensor& shortcut);

/// fused_batch_norm without ReLU for vectors [N, C].
torch::Tensor fused_batch_norm_of_vectors(BatchNorm1dImpl& bn, const torch::Tensor& x);

/// What the networks call: the fused kernels, but LibTorch's own operators for float64 on one rank. Double precision is
/// there to compare with published numbers, and a deep ResNet in training amplifies a difference in the last bit of one
/// input 10⁸-fold (measured on the golden resnet50), so that only the same operators agree.
torch::Tensor batch_norm_relu(BatchNorm2dImpl& bn, const torch::Tensor& x);
Fork batch_norm_relu_fork(BatchNorm2dImpl& bn, const torch::Tensor& x);
torch::Tensor batch_norm(BatchNorm2dImpl& bn, const torch::Tensor& x);
torch::Tensor batch_norm_add_relu(BatchNorm2dImpl& bn, const torch::Tensor& x, const torch::Tensor& shortcut);
torch::Tensor batch_norm_pair_relu(BatchNorm2dImpl& bn, const torch::Tensor& x, BatchNorm2dImpl& shortcut_bn,
                                   const torch::Tensor& shortcut);
}  // namespace paws::nn
