#include "src/loss/snn_classifier.hpp"

#include <algorithm>

#include "kernels/l2_normalize.hpp"
#include "src/loss/support_labels.hpp"
#include "src/nn/blas_threads.hpp"
#include "src/nn/tensor_view.hpp"

namespace paws::loss
{
namespace
{
/// Queries that share one block of similarities: bounds the memory at this many rows of supports.
constexpr std::int64_t block_rows = 2048;

template <class Scalar>
torch::Tensor normalized_rows(const torch::Tensor& x)
{
    const nn::HostExec exec;
    auto rows = x.detach().contiguous().clone();
    const auto norms = torch::empty({rows.size(0)}, rows.options());
    kernels::l2_normalize(exec, nn::view_of<const Scalar, 2>(rows), nn::view_of<Scalar, 2>(rows),
                          nn::view_of<Scalar, 1>(norms));
    exec.fence();
    return rows;
}

template <class Scalar>
torch::Tensor probabilities_of(const torch::Tensor& queries, const torch::Tensor& supports, const SupportLabels& labels,
                               double temperature)
{
    const nn::HostExec exec;
    const auto q = normalized_rows<Scalar>(queries);
    const auto s = normalized_rows<Scalar>(supports).t();
    const auto probabilities = torch::empty({q.size(0), labels.classes()}, q.options());
    const nn::BlasThreads threads(std::min(block_rows, q.size(0)), s.size(1), s.size(0));
    for (std::int64_t begin = 0; begin < q.size(0); begin += block_rows)
    {
        const auto rows = std::min(block_rows, q.size(0) - begin);
        const auto similarities = torch::mm(q.narrow(0, begin, rows), s);
        kernels::soft_nearest_neighbours(exec, nn::view_of<Scalar, 2>(similarities), labels.view(), temperature,
                                         nn::view_of<Scalar, 2>(probabilities.narrow(0, begin, rows)));
        exec.fence();
    }
    return probabilities;
}
}  // namespace

torch::Tensor snn_probabilities(const torch::Tensor& queries, const torch::Tensor& supports,
                                const std::vector<std::int64_t>& support_labels, std::int64_t classes,
                                double temperature)
{
    const SupportLabels labels(torch::tensor(support_labels, torch::kInt64), classes);
    return queries.scalar_type() == torch::kFloat64 ? probabilities_of<double>(queries, supports, labels, temperature)
                                                    : probabilities_of<float>(queries, supports, labels, temperature);
}

Accuracy accuracy(const torch::Tensor& scores, const std::vector<std::int64_t>& labels)
{
    const auto wanted = torch::tensor(labels, torch::kInt64).unsqueeze(1);
    const auto five = std::min<std::int64_t>(5, scores.size(1));
    const auto hits = std::get<1>(scores.topk(five, 1)).eq(wanted).to(torch::kFloat64);
    return {hits.select(1, 0).mean().item<double>(), hits.sum(1).mean().item<double>()};
}
}  // namespace paws::loss
