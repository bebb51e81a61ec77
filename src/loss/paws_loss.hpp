#pragma once

#include <torch/types.h>

#include <memory>

#include "src/comm/communicator.hpp"
#include "src/loss/support_labels.hpp"

namespace paws::loss
{
struct PawsLossSettings
{
    std::int64_t multicrop = 0;
    double temperature = 0.1;  ///< τ of the similarities
    double sharpen = 0.25;     ///< T of the targets and of me-max
    bool me_max = true;
    /// Memory for the similarities of views and supports, in bytes. Where they need more, they are computed by blocks,
    /// and once more in the backward pass.
    std::int64_t similarity_bytes = std::int64_t{1} << 30;
    /// The ranks whose supports are gathered and whose mean predictions enter me-max.
    std::shared_ptr<comm::Communicator> communicator = comm::make_single_rank();
};

/// The two parts of the loss, 0-dimensional and differentiable; what is minimised is the mean of their sum over ranks.
struct PawsLoss
{
    torch::Tensor cross_entropy;  ///< of this rank's views
    torch::Tensor me_max;         ///< Σ a log a, minus the entropy of all ranks' mean prediction; 0 when switched off
};

/// The PAWS loss (arXiv 2104.13963, eq. 1 and 4) of a batch; float32 or float64; collective over the ranks.
///   anchor_views    z of this rank's views, [(2 + multicrop) B, D]: first views, second views, then crop after crop
///   anchor_supports z of this rank's supports, [M, D]
///   target_views    h of the large views, [2B, D], already swapped: row i is the target of anchor row i
///   target_supports h of this rank's supports, [M, D]
///   labels          of the supports of all W ranks, rank after rank: W · M of them
/// Gradients flow to the anchors and to the supports of all ranks, whose gradients are summed over the ranks' losses;
/// targets have none. The gradient of me-max is that by this rank's mean prediction, as published: the mean over ranks
/// passes it on unchanged. Throws std::invalid_argument when the shapes don't fit.
PawsLoss paws_loss(const torch::Tensor& anchor_views, const torch::Tensor& anchor_supports,
                   const torch::Tensor& target_views, const torch::Tensor& target_supports,
                   std::shared_ptr<const SupportLabels> labels, const PawsLossSettings& settings);

/// h or z as the encoder gives them, supports first, split into the arguments of the loss: for the large views of B
/// images, the second views are the targets of the first and the other way round. Where z is h (the same tensor:
/// there is no prediction head), the anchors' similarities serve the targets too.
PawsLoss paws_loss_of_encoding(const torch::Tensor& h, const torch::Tensor& z, std::int64_t images,
                               std::shared_ptr<const SupportLabels> labels, const PawsLossSettings& settings);
}  // namespace paws::loss
