#include "src/methods/snn_fine_tuning.hpp"

#include <fmt/format.h>

#include "src/loss/suncet_loss.hpp"
#include "src/methods/passes.hpp"
#include "src/profile/phase.hpp"

namespace paws::methods
{
SnnFineTuning::SnnFineTuning(const Context& context)
    : labels_(labels_of_supports(context.config, context.world_size, context.device)),
      settings_(contrastive_settings(context))
{
}

void SnnFineTuning::require_learnable(const config::Config& config, std::int64_t world_size)
{
    require_other_classes(config, world_size);
    require_neighbours(config, world_size);
}

std::vector<torch::Tensor> SnnFineTuning::forward_backward(nn::Encoder& encoder, const data::Batch& batch,
                                                           device::Precision precision, const optim::LossScaler* scaler)
{
    const auto encoding = forward(encoder, {batch.supports}, precision);
    torch::Tensor value;
    {
        const profile::Phase phase("loss");
        value = loss::suncet_loss(encoding.z.to(device::storage_type(precision)), labels_, settings_);
    }
    backward(value, scaler);
    return {value};
}

std::string SnnFineTuning::describe(const logging::StepValues& values) const
{
    return fmt::format("SuNCEt {:.3f}", values[0]);
}
}  // namespace paws::methods
