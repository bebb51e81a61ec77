#include "src/nn/resnet.hpp"

#include <fmt/format.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>

#include "src/nn/batch_norm_relu.hpp"
#include "src/nn/blocked_convolution.hpp"
#include "src/nn/blocked_images.hpp"

namespace paws::nn
{
namespace
{
namespace tnn = torch::nn;

tnn::Conv2d convolution(std::int64_t in, std::int64_t out, int kernel, int stride)
{
    return tnn::Conv2d(tnn::Conv2dOptions(in, out, kernel).stride(stride).padding(kernel / 2).bias(false));
}

tnn::Sequential projection_shortcut(std::int64_t in, std::int64_t out, int stride)
{
    return tnn::Sequential(convolution(in, out, 1, stride), BatchNorm2d(out));
}

/// relu(bn(y) + shortcut), where the shortcut is x itself or its projection.
torch::Tensor end_of_block(BatchNorm2d& bn, const torch::Tensor& y, tnn::Sequential& projection, const torch::Tensor& x)
{
    return projection ? batch_norm_pair_relu(*bn, y, *projection[1]->as<BatchNorm2d>(),
                                             convolve(*projection[0]->as<tnn::Conv2d>(), x))
                      : batch_norm_add_relu(*bn, y, x);
}

class BasicBlock final : public tnn::Module
{
public:
    static constexpr std::int64_t expansion = 1;

    BasicBlock(std::int64_t in, std::int64_t width, int stride)
    {
        conv1_ = register_module("conv1", convolution(in, width, 3, stride));
        bn1_ = register_module("bn1", BatchNorm2d(width));
        conv2_ = register_module("conv2", convolution(width, width, 3, 1));
        bn2_ = register_module("bn2", BatchNorm2d(width));
        if (stride != 1 || in != width)
        {
            downsample_ = register_module("downsample", projection_shortcut(in, width, stride));
        }
    }

    torch::Tensor forward(const torch::Tensor& x)
    {
        auto y = batch_norm_relu(*bn1_, convolve(*conv1_, x));
        return end_of_block(bn2_, convolve(*conv2_, y), downsample_, x);
    }

private:
    tnn::Conv2d conv1_{nullptr}, conv2_{nullptr};
    BatchNorm2d bn1_{nullptr}, bn2_{nullptr};
    tnn::Sequential downsample_{nullptr};
};

class Bottleneck final : public tnn::Module
{
public:
    static constexpr std::int64_t expansion = 4;

    Bottleneck(std::int64_t in, std::int64_t width, int stride)
    {
        const auto out = width * expansion;
        conv1_ = register_module("conv1", convolution(in, width, 1, 1));
        bn1_ = register_module("bn1", BatchNorm2d(width));
        conv2_ = register_module("conv2", convolution(width, width, 3, stride));
        bn2_ = register_module("bn2", BatchNorm2d(width));
        conv3_ = register_module("conv3", convolution(width, out, 1, 1));
        bn3_ = register_module("bn3", BatchNorm2d(out));
        if (stride != 1 || in != out)
        {
            downsample_ = register_module("downsample", projection_shortcut(in, out, stride));
        }
    }

    torch::Tensor forward(const torch::Tensor& x)
    {
        auto y = batch_norm_relu(*bn1_, convolve(*conv1_, x));
        y = batch_norm_relu(*bn2_, convolve(*conv2_, y));
        return end_of_block(bn3_, convolve(*conv3_, y), downsample_, x);
    }

private:
    tnn::Conv2d conv1_{nullptr}, conv2_{nullptr}, conv3_{nullptr};
    BatchNorm2d bn1_{nullptr}, bn2_{nullptr}, bn3_{nullptr};
    tnn::Sequential downsample_{nullptr};
};

/// Appends the blocks of a stage; returns the channels that leave it.
template <class Block>
std::int64_t fill_stage(tnn::Sequential& stage, std::int64_t in, std::int64_t width, int blocks, int stride)
{
    for (int block = 0; block < blocks; ++block)
    {
        stage->push_back(Block(in, width, block == 0 ? stride : 1));
        in = width * Block::expansion;
    }
    return in;
}
}  // namespace

namespace
{
/// The 3×3 maximum with stride 2.
torch::Tensor largest_of_neighbours(const torch::Tensor& x)
{
    const auto pool = [](const torch::Tensor& images) { return torch::max_pool2d(images, 3, 2, 1); };
    return is_in_blocks(x) ? images_as_blocks(pool(blocks_as_images(x)), channels_of(x)) : pool(x);
}
}  // namespace

ResNet::ResNet(const Architecture& architecture)
{
    const std::int64_t stem = 64 * architecture.widen;
    conv1_ = register_module("conv1", convolution(3, stem, 7, 2));
    bn1_ = register_module("bn1", BatchNorm2d(stem));
    std::int64_t channels = stem;
    for (std::size_t s = 0; s < architecture.blocks.size(); ++s)
    {
        tnn::Sequential stage;
        const auto width = stem << s;
        const int stride = s == 0 ? 1 : 2;
        channels = architecture.family == Family::basic
                       ? fill_stage<BasicBlock>(stage, channels, width, architecture.blocks[s], stride)
                       : fill_stage<Bottleneck>(stage, channels, width, architecture.blocks[s], stride);
        stages_.push_back(register_module(fmt::format("layer{}", s + 1), stage));
    }
    feature_dim_ = channels;
    for (auto& module : modules(false))
    {
        if (auto* convolution = module->as<tnn::Conv2d>())
        {
            tnn::init::kaiming_normal_(convolution->weight, 0, torch::kFanOut, torch::kReLU);
        }
    }
}

torch::Tensor ResNet::features(torch::Tensor images)
{
    auto x = batch_norm_relu(*bn1_, first_convolution(*conv1_, images));
    x = largest_of_neighbours(x);
    for (auto& stage : stages_)
    {
        x = stage->forward(x);
    }
    return mean_of_pixels(x);
}
}  // namespace paws::nn
