#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

namespace paws::loss
{
/// Soft nearest-neighbour class probabilities [N, K] of queries [N, D] among labelled supports [M, D] (float32 or
/// float64, of any length): softmax(q sᵀ / τ) Y with L2-normalised q and s and one-hot labels.
torch::Tensor snn_probabilities(const torch::Tensor& queries, const torch::Tensor& supports,
                                const std::vector<std::int64_t>& support_labels, std::int64_t classes,
                                double temperature);

/// Shares of rows whose label is the most probable class (top1) or among the five most probable (top5), from 0 to 1.
struct Accuracy
{
    double top1 = 0;
    double top5 = 0;
};

/// scores: [N, K], higher is more probable; labels: [N].
Accuracy accuracy(const torch::Tensor& scores, const std::vector<std::int64_t>& labels);
}  // namespace paws::loss
