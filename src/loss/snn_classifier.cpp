#include "src/loss/snn_classifier.hpp"

#include <algorithm>

#include "src/loss/neighbours.hpp"

namespace paws::loss
{
namespace
{
/// Of similarities at a time: enough rows for the product to run at full speed against 120,000 supports.
constexpr std::int64_t block_bytes = std::int64_t{256} << 20;

template <class Scalar>
torch::Tensor probabilities_of(const torch::Tensor& queries, const torch::Tensor& supports, const SupportLabels& labels,
                               double temperature)
{
    return device::on_device_of(queries,
                                [&](const auto& exec)
                                {
                                    return predict_in_blocks<Scalar>(exec, unit_rows<Scalar>(exec, queries).rows,
                                                                     supports, labels, temperature, block_bytes);
                                });
}
}  // namespace

SnnClassifier::SnnClassifier(const torch::Tensor& supports, const std::vector<std::int64_t>& support_labels,
                             std::int64_t classes, double temperature)
    : labels_(SupportLabels(torch::tensor(support_labels, torch::kInt64), classes).to(supports.device())),
      temperature_(temperature)
{
    supports_ = device::on_device_of(supports,
                                     [&](const auto& exec)
                                     {
                                         const auto order = order_of(exec, labels_);
                                         return supports.scalar_type() == torch::kFloat64
                                                    ? unit_rows<double>(exec, supports, order).rows
                                                    : unit_rows<float>(exec, supports, order).rows;
                                     });
}

torch::Tensor SnnClassifier::probabilities(const torch::Tensor& asked) const
{
    const auto queries = asked.to(supports_.device());
    return queries.scalar_type() == torch::kFloat64
               ? probabilities_of<double>(queries, supports_, labels_, temperature_)
               : probabilities_of<float>(queries, supports_, labels_, temperature_);
}

torch::Tensor snn_probabilities(const torch::Tensor& queries, const torch::Tensor& supports,
                                const std::vector<std::int64_t>& support_labels, std::int64_t classes,
                                double temperature)
{
    return SnnClassifier(supports, support_labels, classes, temperature).probabilities(queries);
}

Accuracy accuracy(const torch::Tensor& scores, const std::vector<std::int64_t>& labels)
{
    const auto wanted = torch::tensor(labels, torch::kInt64).unsqueeze(1).to(scores.device());
    const auto five = std::min<std::int64_t>(5, scores.size(1));
    const auto hits = std::get<1>(scores.topk(five, 1)).eq(wanted).to(torch::kFloat64);
    return {hits.select(1, 0).mean().item<double>(), hits.sum(1).mean().item<double>()};
}
}  // namespace paws::loss
