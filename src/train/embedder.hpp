#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

#include "src/comm/communicator.hpp"
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

/// The rows that this rank takes when all share them out: one piece, of equal length up to one.
std::vector<std::int64_t> rows_of_rank(const std::vector<std::int64_t>& rows, const comm::Communicator& communicator);

/// The same as embed on every rank, computed by all together.
torch::Tensor embed_together(nn::Encoder& encoder, const data::Pictures& pictures,
                             const std::vector<std::int64_t>& rows, const config::Config& config, nn::Embedding which,
                             nn::Precision precision, comm::Communicator& communicator);
}  // namespace paws::train
