#include "src/methods/fine_tuning_steps.hpp"

#include "src/loss/suncet_loss.hpp"
#include "src/profile/phase.hpp"

namespace paws::methods
{
namespace
{
torch::Tensor forward(nn::Encoder& encoder, const torch::Tensor& views, device::Precision precision)
{
    const profile::Phase phase("forward");
    const device::AutocastScope autocast(precision, views.device());
    const auto type = device::storage_type(precision);
    return encoder.forward({views.to(type)}).z.to(type);
}
}  // namespace

torch::Tensor snn_forward_backward(nn::Encoder& encoder, const torch::Tensor& views,
                                   const std::shared_ptr<const loss::SupportLabels>& labels,
                                   const loss::ContrastiveSettings& settings, device::Precision precision,
                                   const optim::LossScaler* scaler)
{
    const auto z = forward(encoder, views, precision);
    torch::Tensor value;
    {
        const profile::Phase phase("loss");
        value = loss::suncet_loss(z, labels, settings);
    }
    const profile::Phase phase("backward");
    optim::scaled_backward(value, scaler);
    return value;
}

ClassifierValues classifier_forward_backward(nn::Encoder& encoder, const torch::Tensor& views,
                                             const torch::Tensor& classes, device::Precision precision,
                                             const optim::LossScaler* scaler)
{
    const auto logits = forward(encoder, views, precision);
    ClassifierValues values;
    {
        const profile::Phase phase("loss");
        values.cross_entropy = torch::nn::functional::cross_entropy(logits, classes);
        values.top1 = logits.detach().argmax(1).eq(classes).to(torch::kFloat64).mean();
    }
    const profile::Phase phase("backward");
    optim::scaled_backward(values.cross_entropy, scaler);
    return values;
}
}  // namespace paws::methods
