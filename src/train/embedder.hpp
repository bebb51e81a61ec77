#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

#include "src/config/config.hpp"
#include "src/data/pictures.hpp"
#include "src/nn/encoder.hpp"
#include "src/nn/precision.hpp"

namespace paws::train
{
/// The embeddings of pictures, float32 [n, D], in the order of `rows`: evaluation mode, centre views, no gradient.
/// The encoder is left in the mode that it was in.
torch::Tensor embed(nn::Encoder& encoder, const data::Pictures& pictures, const std::vector<std::int64_t>& rows,
                    const config::Config& config, nn::Embedding which, nn::Precision precision);
}  // namespace paws::train
