#pragma once

#include "src/nn/batch_norm.hpp"
#include "src/nn/encoder.hpp"

namespace paws::nn
{
enum class ResNetBlock
{
    basic,       ///< two 3×3 convolutions (resnet18, resnet34)
    bottleneck,  ///< 1×1, 3×3 (with the stride), 1×1 with four times the channels
};

/// Residual network (arXiv 1512.03385) with torchvision's names and initialisation; `widen` multiplies every stage.
class ResNet final : public Encoder
{
public:
    ResNet(ResNetBlock block, const std::vector<int>& blocks_per_stage, int widen);

    torch::Tensor features(torch::Tensor images) override;
    std::int64_t feature_dim() const override { return feature_dim_; }

private:
    std::int64_t feature_dim_ = 0;
    torch::nn::Conv2d conv1_{nullptr};
    BatchNorm2d bn1_{nullptr};
    std::vector<torch::nn::Sequential> stages_;
};
}  // namespace paws::nn
