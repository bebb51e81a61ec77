#pragma once

#include <torch/types.h>

#include <memory>

#include "src/loss/contrastive_settings.hpp"
#include "src/loss/support_labels.hpp"

namespace paws::loss
{
/// SuNCEt (arXiv 2006.10803, eq. 1), 0-dimensional and differentiable; collective over the ranks: the cross-entropy of
/// each row's labels and of what its soft nearest neighbours among all other labelled rows, of all ranks, predict.
///   z      [N, D], float32 or float64, of any length, the same number on every rank
///   labels of all W ranks' rows, rank after rank: W · N of them; the same on every rank
/// The mean over this rank's rows is returned. The gradient goes to the rows of all ranks: it is summed over the ranks'
/// losses, as published; the mean over ranks is taken later, of the parameters' gradients.
/// Throws std::invalid_argument when the shapes don't fit, or when a class without smoothing has one row only: its
/// neighbours cannot predict it, and the loss would be infinite.
torch::Tensor suncet_loss(const torch::Tensor& z, const std::shared_ptr<const SupportLabels>& labels,
                          const ContrastiveSettings& settings);
}  // namespace paws::loss
