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

std::vector<std::int64_t> rows_of_rank(const std::vector<std::int64_t>& rows, const comm::Communicator& communicator)
{
    const auto count = static_cast<std::int64_t>(rows.size());
    const auto begin = [&](std::int64_t rank) { return rows.begin() + count * rank / communicator.world_size(); };
    return {begin(communicator.rank()), begin(communicator.rank() + 1)};
}

torch::Tensor embed_together(nn::Encoder& encoder, const data::Pictures& pictures,
                             const std::vector<std::int64_t>& rows, const config::Config& config, nn::Embedding which,
                             nn::Precision precision, comm::Communicator& communicator)
{
    if (communicator.is_alone())
    {
        return embed(encoder, pictures, rows, config, which, precision);
    }
    const auto mine = rows_of_rank(rows, communicator);
    // Ranks may have a row more or less, or none when there are few: what is gathered has one length for all, and a
    // column that says which rows are there.
    const auto most =
        (static_cast<std::int64_t>(rows.size()) + communicator.world_size() - 1) / communicator.world_size();
    const auto embedded = mine.empty() ? torch::Tensor() : embed(encoder, pictures, mine, config, which, precision);
    const auto width = torch::tensor({embedded.defined() ? embedded.size(1) : std::int64_t{0}}, torch::kInt64);
    const auto dims = communicator.all_gather(width).max().item<std::int64_t>();
    const auto padded = torch::zeros({most, dims + 1});
    if (embedded.defined())
    {
        auto part = padded.narrow(0, 0, embedded.size(0));
        part.narrow(1, 0, dims).copy_(embedded);
        part.narrow(1, dims, 1).fill_(1);
    }
    const auto all = communicator.all_gather(padded);
    return all.index({all.select(1, dims) == 1}).narrow(1, 0, dims).contiguous();
}
}  // namespace paws::train
