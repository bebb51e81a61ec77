#include "src/methods/paws_step.hpp"

#include "src/profile/phase.hpp"

namespace paws::methods
{
loss::PawsLoss paws_forward_backward(nn::Encoder& encoder, const data::PawsBatch& batch,
                                     const std::shared_ptr<const loss::SupportLabels>& labels,
                                     const loss::PawsLossSettings& settings, device::Precision precision,
                                     const optim::LossScaler* scaler)
{
    nn::Encoding encoding;
    {
        const profile::Phase phase("forward");
        const device::AutocastScope autocast(precision, batch.large.device());
        const auto type = device::storage_type(precision);
        std::vector<torch::Tensor> views{batch.supports.to(type), batch.large.to(type)};
        if (batch.small.defined())
        {
            views.push_back(batch.small.to(type));
        }
        encoding = encoder.forward(views);
    }
    loss::PawsLoss value;
    {
        const profile::Phase phase("loss");
        const auto type = device::storage_type(precision);
        const auto h = encoding.h.to(type);
        const auto z = encoding.z.is_same(encoding.h) ? h : encoding.z.to(type);
        value = loss::paws_loss_of_encoding(h, z, batch.large.size(0) / 2, labels, settings);
    }
    const profile::Phase phase("backward");
    optim::scaled_backward(value.cross_entropy + value.me_max, scaler);
    return value;
}
}  // namespace paws::methods
