#include "src/methods/passes.hpp"

#include "src/profile/phase.hpp"

namespace paws::methods
{
nn::Encoding forward(nn::Encoder& encoder, const std::vector<torch::Tensor>& views, device::Precision precision)
{
    const profile::Phase phase("forward");
    const device::AutocastScope autocast(precision, views.front().device());
    std::vector<torch::Tensor> inputs;
    for (const auto& view : views)
    {
        if (view.defined())
        {
            inputs.push_back(view.to(device::storage_type(precision)));
        }
    }
    return encoder.forward(inputs);
}

void backward(const torch::Tensor& loss, const optim::LossScaler* scaler)
{
    const profile::Phase phase("backward");
    optim::scaled_backward(loss, scaler);
}
}  // namespace paws::methods
