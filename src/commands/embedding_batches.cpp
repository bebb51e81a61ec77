#include "src/commands/embedding_batches.hpp"

#include <fmt/format.h>

#include "io/base/error.hpp"

namespace paws::commands
{
namespace
{
/// The largest number that float16 has.
constexpr double half_limit = 65504;
}  // namespace

std::vector<config::Embedding> embedded_outputs(const config::Config& config)
{
    return config.embed.outputs.empty() ? std::vector{config.criterion.embedding} : config.embed.outputs;
}

io::EmbeddingsBlock EmbeddingBatch::block() const
{
    io::EmbeddingsBlock block;
    for (const auto& values : reals)
    {
        block.rows = static_cast<std::size_t>(values.size(0));
        block.reals.push_back({static_cast<const std::byte*>(values.data_ptr()), values.nbytes()});
    }
    if (predicted.defined())
    {
        block.predicted = {predicted.data_ptr<std::int64_t>(), static_cast<std::size_t>(predicted.size(0))};
    }
    return block;
}

EmbeddingBatches::EmbeddingBatches(nn::Encoder& encoder, const data::Images& images, std::int64_t first,
                                   std::int64_t count, const config::Config& config,
                                   const loss::SnnClassifier* classifier, device::Precision precision)
    : images_(images), row_(first), half_(config.embed.half), classifier_(classifier)
{
    auto which = embedded_outputs(config);
    for (const auto output : which)
    {
        names_.push_back(to_string(output));
    }
    written_ = which.size();
    if (classifier_ != nullptr)
    {
        names_.emplace_back("probabilities");
        which.push_back(config.criterion.embedding);
    }
    std::vector<std::int64_t> rows;
    for (std::int64_t row = first; row < first + count; ++row)
    {
        rows.push_back(row);
    }
    embedder_.emplace(encoder, images, std::move(rows), config, std::move(which), precision);
}

EmbeddingBatch EmbeddingBatches::next()
{
    EmbeddingBatch batch;
    const auto outputs = embedder_->next();
    if (!outputs)
    {
        batch.reals.assign(names_.size(), torch::empty({0}));
        return batch;
    }
    for (std::size_t i = 0; i < written_; ++i)
    {
        batch.reals.push_back((*outputs)[i].contiguous());
    }
    if (classifier_ != nullptr)
    {
        classify(outputs->back().contiguous(), batch);
    }
    require_finite(batch);
    if (half_)
    {
        to_half(batch);
    }
    row_ += batch.reals.front().size(0);
    return batch;
}

void EmbeddingBatches::classify(const torch::Tensor& queries, EmbeddingBatch& batch)
{
    batch.reals.push_back(classifier_->probabilities(queries).cpu().contiguous());
    batch.predicted = batch.reals.back().argmax(1).contiguous();
    const auto* const first = images_.labels.data() + row_;
    const auto accuracy = loss::accuracy(batch.reals.back(), {first, first + queries.size(0)});
    right_ += torch::tensor({accuracy.top1, accuracy.top5}, torch::kFloat64) * queries.size(0);
}

void EmbeddingBatches::require_finite(const EmbeddingBatch& batch) const
{
    for (std::size_t i = 0; i < batch.reals.size(); ++i)
    {
        const auto finite = torch::isfinite(batch.reals[i]).all(1);
        if (!finite.all().item<bool>())
        {
            const auto row = row_ + finite.logical_not().nonzero()[0][0].item<std::int64_t>();
            throw io::Error(fmt::format(
                "the {} of image '{}' has numbers that are NaN or infinite; compute in meta.precision=fp32, "
                "or take another checkpoint",
                names_[i], images_.names[static_cast<std::size_t>(row)]));
        }
    }
}

void EmbeddingBatches::to_half(EmbeddingBatch& batch) const
{
    for (std::size_t i = 0; i < batch.reals.size(); ++i)
    {
        const auto too_large = batch.reals[i].abs().gt(half_limit).any(1);
        if (too_large.any().item<bool>())
        {
            const auto row = row_ + too_large.nonzero()[0][0].item<std::int64_t>();
            throw config::Error(
                fmt::format("embed.half: the {} of image '{}' has a number beyond {}, which float16 does not hold; "
                            "leave embed.half (--half) out",
                            names_[i], images_.names[static_cast<std::size_t>(row)], half_limit));
        }
        batch.reals[i] = batch.reals[i].to(torch::kHalf);
    }
}
}  // namespace paws::commands
