#include "src/methods/suncet_step.hpp"

#include "src/loss/simclr_loss.hpp"
#include "src/loss/suncet_loss.hpp"
#include "src/profile/phase.hpp"

namespace paws::methods
{
SuncetLoss suncet_forward_backward(nn::Encoder& encoder, const data::PawsBatch& batch,
                                   const std::shared_ptr<const loss::SupportLabels>& labels,
                                   const loss::ContrastiveSettings& settings, device::Precision precision,
                                   const optim::LossScaler* scaler)
{
    const auto type = device::storage_type(precision);
    torch::Tensor z;
    {
        const profile::Phase phase("forward");
        const device::AutocastScope autocast(precision, batch.large.device());
        std::vector<torch::Tensor> views{batch.large.to(type)};
        if (batch.supports.defined())
        {
            views.push_back(batch.supports.to(type));
        }
        z = encoder.forward(views).z.to(type);
    }
    SuncetLoss value;
    {
        const profile::Phase phase("loss");
        const auto unlabelled = batch.large.size(0);
        value.simclr = loss::simclr_loss(z.narrow(0, 0, unlabelled), settings);
        value.suncet = batch.supports.defined()
                           ? loss::suncet_loss(z.narrow(0, unlabelled, z.size(0) - unlabelled), labels, settings)
                           : torch::zeros_like(value.simclr);
    }
    const profile::Phase phase("backward");
    optim::scaled_backward(value.simclr + value.suncet, scaler);
    return value;
}
}  // namespace paws::methods
