#include "src/methods/suncet.hpp"

#include <fmt/format.h>

#include "src/loss/simclr_loss.hpp"
#include "src/loss/suncet_loss.hpp"
#include "src/methods/passes.hpp"
#include "src/profile/phase.hpp"

namespace paws::methods
{
Suncet::Suncet(const Context& context)
    : Suncet(labels_of_supports(context.config, context.world_size, context.device), contrastive_settings(context))
{
}

Suncet::Suncet(std::shared_ptr<const loss::SupportLabels> labels, loss::ContrastiveSettings settings)
    : labels_(std::move(labels)), settings_(std::move(settings))
{
}

void Suncet::require_learnable(const config::Config& config, std::int64_t world_size)
{
    if (config.criterion.supervised_epochs > 0)
    {
        require_other_classes(config, world_size);
        require_neighbours(config, world_size);
    }
}

std::vector<torch::Tensor> Suncet::forward_backward(nn::Encoder& encoder, const data::Batch& batch,
                                                    device::Precision precision, const optim::LossScaler* scaler)
{
    const auto encoding = forward(encoder, {batch.large, batch.supports}, precision);
    torch::Tensor simclr, suncet;
    {
        const profile::Phase phase("loss");
        const auto z = encoding.z.to(device::storage_type(precision));
        const auto unlabelled = batch.large.size(0);
        simclr = loss::simclr_loss(z.narrow(0, 0, unlabelled), settings_);
        suncet = batch.supports.defined()
                     ? loss::suncet_loss(z.narrow(0, unlabelled, z.size(0) - unlabelled), labels_, settings_)
                     : torch::zeros_like(simclr);
    }
    backward(simclr + suncet, scaler);
    return {suncet, simclr};
}

std::string Suncet::describe(const logging::StepValues& values) const
{
    return fmt::format("SuNCEt {:.3f}  SimCLR {:.3f}", values[0], values[1]);
}
}  // namespace paws::methods
