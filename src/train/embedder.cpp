#include "src/train/embedder.hpp"

#include "src/data/evaluation_loader.hpp"

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

torch::Tensor embed(nn::Encoder& encoder, const data::Pictures& pictures, const std::vector<std::int64_t>& rows,
                    const config::Config& config, nn::Embedding which, nn::Precision precision)
{
    const torch::NoGradGuard no_gradient;
    const EvaluationScope evaluation(encoder);
    std::vector<torch::Tensor> parts;
    data::EvaluationLoader loader(pictures, config, rows);
    while (const auto views = loader.next())
    {
        const nn::AutocastScope autocast(precision);
        parts.push_back(encoder.embed(views->to(nn::storage_type(precision)), which).to(torch::kFloat32));
    }
    return torch::cat(parts);
}
}  // namespace paws::train
