#include "src/methods/paws.hpp"

#include <fmt/format.h>

#include <cmath>

#include "src/methods/passes.hpp"
#include "src/methods/support_batches.hpp"
#include "src/profile/phase.hpp"

namespace paws::methods
{
Paws::Paws(const Context& context)
    : Paws(labels_of_supports(context.config, context.world_size, context.device),
           {context.config.data.multicrop, context.config.criterion.temperature, context.config.criterion.sharpen,
            context.config.criterion.me_max, similarity_bytes(context.config.criterion), context.communicator})
{
}

Paws::Paws(std::shared_ptr<const loss::SupportLabels> labels, loss::PawsLossSettings settings)
    : labels_(std::move(labels)), settings_(std::move(settings))
{
}

void Paws::require_learnable(const config::Config& config, std::int64_t world_size)
{
    require_other_classes(config, world_size);
}

std::vector<torch::Tensor> Paws::forward_backward(nn::Encoder& encoder, const data::Batch& batch,
                                                  device::Precision precision, const optim::LossScaler* scaler)
{
    const auto encoding = forward(encoder, {batch.supports, batch.large, batch.small}, precision);
    loss::PawsLoss value;
    {
        const profile::Phase phase("loss");
        const auto type = device::storage_type(precision);
        const auto h = encoding.h.to(type);
        const auto z = encoding.z.is_same(encoding.h) ? h : encoding.z.to(type);
        value = loss::paws_loss_of_encoding(h, z, batch.large.size(0) / 2, labels_, settings_);
    }
    backward(value.cross_entropy + value.me_max, scaler);
    return {value.cross_entropy, value.me_max};
}

std::string Paws::describe(const logging::StepValues& values) const
{
    // Without me-max nobody computes the entropy.
    return settings_.me_max ? fmt::format("loss {:.3f}  entropy {:.2f} of {:.2f}", values[0], -values[1],
                                          std::log(static_cast<double>(labels_->classes())))
                            : fmt::format("loss {:.3f}", values[0]);
}

GatheredRows Paws::gathered_rows(const config::Config& config) const
{
    // With a prediction head the targets' supports are gathered beside the anchors'.
    const auto supports = contrastive_rows(config).backward;
    return {supports * (config.meta.use_pred_head ? 2 : 1), supports};
}
}  // namespace paws::methods
