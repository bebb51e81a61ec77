#pragma once

#include <torch/types.h>

#include <cstdint>

namespace torch::nn
{
class Conv2dImpl;
}  // namespace torch::nn

namespace paws::nn
{
// Convolutions of float32 images in host memory on images in blocks of channels (blocked_images.hpp): 3×3 ones with
// stride 1 by Winograd's algorithm (winograd.hpp) where that is faster, the others directly, by oneDNN.

/// Whether this build (oneDNN 2) and this processor (AVX-512) have blocked ones.
bool has_blocked_convolutions();

/// A convolution as the choice sees it.
struct ConvolutionShape
{
    std::int64_t images = 1;
    std::int64_t in = 16, out = 16;        ///< channels
    std::int64_t height = 32, width = 32;  ///< of its input
    std::int64_t kernel = 3, stride = 1, padding = 1;

    std::int64_t output_height() const { return (height + 2 * padding - kernel) / stride + 1; }
    std::int64_t output_width() const { return (width + 2 * padding - kernel) / stride + 1; }
    bool operator==(const ConvolutionShape&) const = default;
    auto operator<=>(const ConvolutionShape&) const = default;
};

/// Whether Winograd's algorithm is the faster one: where the images do not lose too much to being cut into tiles of
/// 4×4, and there are tiles enough for the weights' matrices. The bounds are measured (perf/README.md); a pure
/// function, so that a run and its resumption agree.
bool winograd_pays(const ConvolutionShape& shape);

/// y = x * weight + bias + addend with gradients for all four. x: float32 [N, C, H, W] of any strides, or in blocks
/// [N, C / 16, H, W, 16]; weight: float32 [O, C, K, K] of any strides, O a multiple of 16; bias: [O] or undefined;
/// addend: as the result, or undefined. Result: [N, O / 16, H', W', 16]. Throws std::invalid_argument for other shapes
/// and types, and where has_blocked_convolutions() is false. What it works in is a tensor of LibTorch's, one for all
/// convolutions of a thread, as large as the largest of them wants; where sums of the weights' gradient, one for each
/// thread, would take more than 512 MiB, that gradient is computed directly.
torch::Tensor blocked_convolution(const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias,
                                  std::int64_t stride, std::int64_t padding, const torch::Tensor& addend = {});

/// conv(x) in the order that x has: blocked_convolution for images in blocks, LibTorch's for others.
torch::Tensor convolve(torch::nn::Conv2dImpl& conv, const torch::Tensor& x);
/// convolve(conv, x) + addend, in one pass where that can be.
torch::Tensor convolve_and_add(torch::nn::Conv2dImpl& conv, const torch::Tensor& x, const torch::Tensor& addend);
/// blocked_convolution by the layer's parameters, for images in either order.
torch::Tensor convolve_to_blocks(torch::nn::Conv2dImpl& conv, const torch::Tensor& x, const torch::Tensor& addend = {});
}  // namespace paws::nn
