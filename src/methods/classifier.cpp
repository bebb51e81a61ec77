#include "src/methods/classifier.hpp"

#include <fmt/format.h>
#include <torch/nn/functional/loss.h>

#include "src/methods/passes.hpp"
#include "src/profile/phase.hpp"

namespace paws::methods
{
std::vector<torch::Tensor> Classifier::forward_backward(nn::Encoder& encoder, const data::Batch& batch,
                                                        device::Precision precision, const optim::LossScaler* scaler)
{
    const auto encoding = forward(encoder, {batch.supports}, precision);
    torch::Tensor cross_entropy, top1;
    {
        const profile::Phase phase("loss");
        const auto logits = encoding.z.to(device::storage_type(precision));
        cross_entropy = torch::nn::functional::cross_entropy(logits, batch.classes);
        top1 = logits.detach().argmax(1).eq(batch.classes).to(torch::kFloat64).mean();
    }
    backward(cross_entropy, scaler);
    return {cross_entropy, top1};
}

std::string Classifier::describe(const logging::StepValues& values) const
{
    return fmt::format("loss {:.3f}  training top-1 {:.1f} %", values[0], 100 * values[1]);
}
}  // namespace paws::methods
