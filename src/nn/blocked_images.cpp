#include "src/nn/blocked_images.hpp"

namespace paws::nn
{
torch::Tensor mean_of_pixels(const torch::Tensor& images)
{
    const auto mean = images.mean({2, 3});
    return is_in_blocks(images) ? mean.flatten(1) : mean;
}

torch::Tensor blocks_as_images(const torch::Tensor& blocks)
{
    return blocks.flatten(0, 1).permute({0, 3, 1, 2});
}

torch::Tensor images_as_blocks(const torch::Tensor& images, std::int64_t channels)
{
    return images.permute({0, 2, 3, 1}).unflatten(0, {-1, channels / block_channels});
}

torch::Tensor to_blocks(const torch::Tensor& images)
{
    return images.unflatten(1, {-1, block_channels}).permute({0, 1, 3, 4, 2}).contiguous();
}

torch::Tensor from_blocks(const torch::Tensor& blocks)
{
    return blocks.permute({0, 1, 4, 2, 3}).flatten(1, 2);
}
}  // namespace paws::nn
