#include "src/train/embedder.hpp"

#include <algorithm>

#include "src/data/augmentation.hpp"

namespace paws::train
{
namespace
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
}  // namespace

torch::Tensor embed(nn::Encoder& encoder, const torch::Tensor& pixels, const std::vector<std::int64_t>& rows,
                    const config::Data& data, nn::Embedding which, nn::Precision precision)
{
    const torch::NoGradGuard no_gradient;
    const EvaluationScope evaluation(encoder);
    std::vector<torch::Tensor> parts;
    const auto batch = static_cast<std::size_t>(data.evaluation_batch_size);
    for (std::size_t begin = 0; begin < rows.size(); begin += batch)
    {
        const auto end = std::min(rows.size(), begin + batch);
        const std::vector<std::int64_t> chunk(rows.begin() + static_cast<std::ptrdiff_t>(begin),
                                              rows.begin() + static_cast<std::ptrdiff_t>(end));
        const auto pictures = data::center_views(pixels, data, chunk).to(nn::storage_type(precision));
        const nn::AutocastScope autocast(precision);
        parts.push_back(encoder.embed(pictures, which).to(torch::kFloat32));
    }
    return torch::cat(parts);
}
}  // namespace paws::train
