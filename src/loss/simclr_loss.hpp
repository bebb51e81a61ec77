#pragma once

#include <torch/types.h>

#include "src/loss/contrastive_settings.hpp"

namespace paws::loss
{
/// NT-Xent (SimCLR, arXiv 2002.05709, eq. 1), 0-dimensional and differentiable; collective over the ranks.
/// z: [2B, D], float32 or float64, of any length: the first views of B images, then their second views, the same
/// number on every rank. Each view is to find the other one of its image among the views of all ranks but itself, by
/// cosine similarity; the mean over this rank's views is returned, the mean over ranks is minimised.
/// As published, the gradient goes to a view as the one that searches; as one that is found, on the own rank too, it
/// has none. Throws std::invalid_argument when the shape or type doesn't fit.
torch::Tensor simclr_loss(const torch::Tensor& z, const ContrastiveSettings& settings);
}  // namespace paws::loss
