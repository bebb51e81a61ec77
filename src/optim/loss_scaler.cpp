#include "src/optim/loss_scaler.hpp"

namespace paws::optim
{
LossScaler::LossScaler(torch::Device device, const LossScalerSettings& settings)
    : settings_(settings),
      scale_(torch::full({}, settings.first_scale, torch::dtype(torch::kFloat32).device(device))),
      good_steps_(torch::zeros({}, torch::dtype(torch::kInt32).device(device)))
{
}

void LossScaler::update(const torch::Tensor& overflowed)
{
    const torch::NoGradGuard no_gradient;
    const auto bad = overflowed.ne(0);
    const auto good_steps = good_steps_ + 1;
    const auto grows = good_steps.ge(settings_.growth_interval);
    const auto larger = scale_ * settings_.growth;
    const auto grown = torch::where(grows.logical_and(torch::isfinite(larger)), larger, scale_);
    // In place, so that a captured graph finds them where they were.
    scale_.copy_(torch::where(bad, scale_ * settings_.backoff, grown));
    good_steps_.copy_(good_steps.masked_fill(bad.logical_or(grows), 0));
}

LossScalerState LossScaler::state() const
{
    return {scale_.item<double>(), good_steps_.item<std::int64_t>()};
}

void LossScaler::restore(const LossScalerState& state)
{
    scale_.fill_(state.scale);
    good_steps_.fill_(state.good_steps);
}

void scaled_backward(const torch::Tensor& loss, const LossScaler* scaler)
{
    (scaler ? loss * scaler->scale() : loss).backward();
}
}  // namespace paws::optim
