#pragma once

#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>

#include "src/nn/batch_norm.hpp"
#include "src/nn/encoder.hpp"

namespace paws::nn
{
/// Wide residual network for small images (arXiv 1605.07146), pre-activation blocks; depth must be 6 n + 4.
/// Published details kept: convolutions have biases, a block's stride sits in its second convolution, and the final
/// batch norm has momentum 0.99.
class WideResNet final : public Encoder
{
public:
    WideResNet(int depth, int widen);

    torch::Tensor features(torch::Tensor images) override;
    std::int64_t feature_dim() const override { return feature_dim_; }

private:
    std::int64_t feature_dim_;
    torch::nn::Conv2d conv1_{nullptr};
    std::vector<torch::nn::Sequential> stages_;
    BatchNorm2d bn1_{nullptr};
};
}  // namespace paws::nn
