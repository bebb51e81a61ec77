#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "src/comm/communicator.hpp"
#include "src/config/config.hpp"
#include "src/data/evaluation_loader.hpp"
#include "src/data/images.hpp"
#include "src/device/precision.hpp"
#include "src/nn/encoder.hpp"

namespace paws::train
{
/// Evaluation mode for a scope.
class EvaluationScope
{
public:
    explicit EvaluationScope(nn::Encoder& encoder) : encoder_(encoder), was_training_(encoder.is_training())
    {
        encoder_.eval();
    }
    ~EvaluationScope() { encoder_.train(was_training_); }
    EvaluationScope(const EvaluationScope&) = delete;
    EvaluationScope& operator=(const EvaluationScope&) = delete;

private:
    nn::Encoder& encoder_;
    bool was_training_;
};

/// Some outputs of the network for images, data.evaluation_batch_size at a time, in the order of `rows`: evaluation
/// mode, centre views, no gradient. The encoder is left in the mode that it was in; its device does the work, the
/// outputs lie in host memory.
class Embedder
{
public:
    /// `encoder` and `images` must outlive it.
    Embedder(nn::Encoder& encoder, const data::Images& images, std::vector<std::int64_t> rows,
             const config::Config& config, std::vector<nn::Embedding> which, device::Precision precision);

    /// float32 [n, D] of each output; nothing after the last image. Throws io::Error.
    std::optional<std::vector<torch::Tensor>> next();

private:
    EvaluationScope evaluation_;
    nn::Encoder& encoder_;
    std::vector<nn::Embedding> which_;
    device::Precision precision_;
    data::EvaluationLoader loader_;
};

/// D of each output.
std::vector<std::int64_t> output_widths(nn::Encoder& encoder, const config::Config& config,
                                        const std::vector<nn::Embedding>& which, device::Precision precision);

/// Called with the number of images of each batch that this rank has embedded.
using EmbedProgress = std::function<void(std::int64_t images)>;

/// The embeddings of images, float32 [n, D], in the order of `rows`: evaluation mode, centre views, no gradient.
/// The encoder is left in the mode that it was in.
torch::Tensor embed(nn::Encoder& encoder, const data::Images& images, const std::vector<std::int64_t>& rows,
                    const config::Config& config, nn::Embedding which, device::Precision precision,
                    const EmbedProgress& progress = {});

/// The rows that this rank takes when all share them out: one piece, of equal length up to one.
std::vector<std::int64_t> rows_of_rank(const std::vector<std::int64_t>& rows, const comm::Communicator& communicator);

/// The same as embed on every rank, computed by all together.
torch::Tensor embed_together(nn::Encoder& encoder, const data::Images& images, const std::vector<std::int64_t>& rows,
                             const config::Config& config, nn::Embedding which, device::Precision precision,
                             comm::Communicator& communicator, const EmbedProgress& progress = {});
}  // namespace paws::train
