#include "src/nn/wide_resnet.hpp"

#include <fmt/format.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>

#include <stdexcept>

#include "src/nn/batch_norm_relu.hpp"
#include "src/nn/blocked_convolution.hpp"
#include "src/nn/blocked_images.hpp"

namespace paws::nn
{
namespace
{
namespace tnn = torch::nn;

tnn::Conv2d biased_convolution(std::int64_t in, std::int64_t out, int kernel, int stride)
{
    return tnn::Conv2d(tnn::Conv2dOptions(in, out, kernel).stride(stride).padding(kernel / 2).bias(true));
}

class WideBlock final : public tnn::Module
{
public:
    WideBlock(std::int64_t in, std::int64_t out, int stride)
    {
        bn1_ = register_module("bn1", BatchNorm2d(in));
        conv1_ = register_module("conv1", biased_convolution(in, out, 3, 1));
        bn2_ = register_module("bn2", BatchNorm2d(out));
        conv2_ = register_module("conv2", biased_convolution(out, out, 3, stride));
        shortcut_ = register_module("shortcut", tnn::Sequential());
        if (stride != 1 || in != out)
        {
            shortcut_->push_back(biased_convolution(in, out, 1, stride));
        }
    }

    torch::Tensor forward(const torch::Tensor& x)
    {
        const auto [normalised, kept] = batch_norm_relu_fork(*bn1_, x);
        const auto y = convolve(*conv1_, normalised);
        const auto shortcut = shortcut_->is_empty() ? kept : convolve(*shortcut_[0]->as<tnn::Conv2d>(), kept);
        return convolve_and_add(*conv2_, batch_norm_relu(*bn2_, y), shortcut);
    }

private:
    BatchNorm2d bn1_{nullptr}, bn2_{nullptr};
    tnn::Conv2d conv1_{nullptr}, conv2_{nullptr};
    tnn::Sequential shortcut_;
};
}  // namespace

WideResNet::WideResNet(int depth, int widen) : feature_dim_(64 * widen)
{
    if (depth < 10 || (depth - 4) % 6 != 0)
    {
        throw std::invalid_argument(fmt::format("a wide ResNet's depth is 6 n + 4, not {}", depth));
    }
    const int blocks = (depth - 4) / 6;
    constexpr std::int64_t stem = 16;
    conv1_ = register_module("conv1", biased_convolution(3, stem, 3, 1));
    std::int64_t channels = stem;
    for (int stage = 0; stage < 3; ++stage)
    {
        const std::int64_t width = (stem << stage) * widen;
        tnn::Sequential layer;
        for (int block = 0; block < blocks; ++block)
        {
            layer->push_back(WideBlock(channels, width, stage > 0 && block == 0 ? 2 : 1));
            channels = width;
        }
        stages_.push_back(register_module(fmt::format("layer{}", stage + 1), layer));
    }
    bn1_ = register_module("bn1", BatchNorm2d(tnn::BatchNorm2dOptions(channels).momentum(0.99)));
}

torch::Tensor WideResNet::features(torch::Tensor images)
{
    auto x = first_convolution(*conv1_, images);
    for (auto& stage : stages_)
    {
        x = stage->forward(x);
    }
    return mean_of_pixels(batch_norm_relu(*bn1_, x));
}
}  // namespace paws::nn
