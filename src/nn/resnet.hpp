#pragma once

#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>

#include "src/nn/architecture.hpp"
#include "src/nn/batch_norm.hpp"
#include "src/nn/encoder.hpp"

namespace paws::nn
{
/// Residual network (arXiv 1512.03385) of basic or bottleneck blocks, with torchvision's names and
/// initialisation.
class ResNet final : public Encoder
{
public:
    explicit ResNet(const Architecture& architecture);

    torch::Tensor features(torch::Tensor images) override;
    std::int64_t feature_dim() const override { return feature_dim_; }

private:
    std::int64_t feature_dim_ = 0;
    torch::nn::Conv2d conv1_{nullptr};
    BatchNorm2d bn1_{nullptr};
    std::vector<torch::nn::Sequential> stages_;
};
}  // namespace paws::nn
