#pragma once

#include <torch/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "io/results/embeddings_writer.hpp"
#include "src/config/config.hpp"
#include "src/data/images.hpp"
#include "src/device/precision.hpp"
#include "src/loss/snn_classifier.hpp"
#include "src/nn/encoder.hpp"
#include "src/train/embedder.hpp"

namespace paws::commands
{
/// The outputs that a `paws-embeddings` file gets: embed.outputs, or criterion.embedding alone.
std::vector<config::Embedding> embedded_outputs(const config::Config& config);

/// A batch as such a file takes it. Of a rank that has no images left: empty.
struct EmbeddingBatch
{
    std::vector<torch::Tensor> reals;  ///< [n, D] of each output, and last the probabilities [n, K] if asked for
    torch::Tensor predicted;           ///< int64 [n] beside probabilities

    /// Valid as long as the batch.
    io::EmbeddingsBlock block() const;
};

/// The batches of one rank.
class EmbeddingBatches
{
public:
    /// Of `count` images from `first` on. `classifier`: null where no probabilities are asked for. All that is given
    /// by reference must outlive this.
    EmbeddingBatches(nn::Encoder& encoder, const data::Images& images, std::int64_t first, std::int64_t count,
                     const config::Config& config, const loss::SnnClassifier* classifier, device::Precision precision);

    /// Empty after the last. Throws io::Error for an image that cannot be read, and for numbers that are NaN or
    /// infinite; config::Error for those that do not fit into float16 where embed.half asks for it.
    EmbeddingBatch next();

    /// Images so far whose class is the most probable one, and among the five most probable ones: float64 [2].
    const torch::Tensor& right() const { return right_; }

private:
    void classify(const torch::Tensor& queries, EmbeddingBatch& batch);
    void require_finite(const EmbeddingBatch& batch) const;
    void to_half(EmbeddingBatch& batch) const;

    const data::Images& images_;
    std::int64_t row_;  // of the next image
    bool half_;
    const loss::SnnClassifier* classifier_;
    std::vector<std::string> names_;  // of the real columns
    std::size_t written_ = 0;         // outputs that are columns
    std::optional<train::Embedder> embedder_;
    torch::Tensor right_ = torch::zeros({2}, torch::kFloat64);
};
}  // namespace paws::commands
