#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "src/loss/support_labels.hpp"

namespace paws::loss
{
/// The same supports for one batch of queries after another: their lengths and their order are worked out once.
class SnnClassifier
{
public:
    /// As snn_probabilities has them.
    SnnClassifier(const torch::Tensor& supports, const std::vector<std::int64_t>& support_labels, std::int64_t classes,
                  double temperature);

    /// queries [N, D] of the supports' type, on any device. Gives [N, K] on that of the supports.
    torch::Tensor probabilities(const torch::Tensor& queries) const;

private:
    SupportLabels labels_;
    torch::Tensor supports_;  // unit rows, sorted by class
    double temperature_;
};

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
