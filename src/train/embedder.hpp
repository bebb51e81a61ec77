#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

#include "src/config/config.hpp"
#include "src/nn/encoder.hpp"
#include "src/nn/precision.hpp"

namespace paws::train
{
/// The embeddings of pictures, float32 [n, D], in the order of `rows`: evaluation mode, centre views, no gradient.
/// pixels: uint8 [P, H, W, 3]. The encoder is left in the mode that it was in.
torch::Tensor embed(nn::Encoder& encoder, const torch::Tensor& pixels, const std::vector<std::int64_t>& rows,
                    const config::Data& data, nn::Embedding which, nn::Precision precision);
}  // namespace paws::train
