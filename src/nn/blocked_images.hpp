#pragma once

#include <torch/types.h>

namespace paws::nn
{
/// Channels of a block.
inline constexpr std::int64_t block_channels = 16;

/// Images in blocks of 16 channels are tensors [N, C / 16, H, W, 16]: the memory order of oneDNN's convolutions (its
/// nChw16c) and of ours, written down as a shape, so that operators that know nothing of it go on working value by
/// value.
inline bool is_in_blocks(const torch::Tensor& images)
{
    return images.dim() == 5;
}

/// C of images in either order.
inline std::int64_t channels_of(const torch::Tensor& images)
{
    return is_in_blocks(images) ? images.size(1) * block_channels : images.size(1);
}

/// The mean over the pixels of images in either order: [N, C].
torch::Tensor mean_of_pixels(const torch::Tensor& images);

/// The same memory as channels-last images of 16 channels [N · C / 16, 16, H, W], for operators that treat channels
/// alike.
torch::Tensor blocks_as_images(const torch::Tensor& blocks);
/// The way back: images [N · C / 16, 16, H, W] as blocks of `channels` channels.
torch::Tensor images_as_blocks(const torch::Tensor& images, std::int64_t channels);

/// Images [N, C, H, W] of a multiple of 16 channels, copied into blocks, and back.
torch::Tensor to_blocks(const torch::Tensor& images);
torch::Tensor from_blocks(const torch::Tensor& blocks);
}  // namespace paws::nn
