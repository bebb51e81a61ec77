#pragma once

#include "src/data/paws_loader.hpp"
#include "src/loss/paws_loss.hpp"
#include "src/methods/context.hpp"
#include "src/methods/method.hpp"

namespace paws::methods
{
/// PAWS (arXiv 2104.13963): supports and unlabelled images. Supports and large views go through the network together,
/// small views after them. Values: the cross-entropy and me-max, whose sum is minimised.
class Paws final : public Method
{
public:
    using Loader = data::PawsLoader;

    explicit Paws(const Context& context);
    /// `labels`: those of the supports of all ranks, on the network's device.
    Paws(std::shared_ptr<const loss::SupportLabels> labels, loss::PawsLossSettings settings);

    static void require_learnable(const config::Config& config, std::int64_t world_size);

    std::vector<torch::Tensor> forward_backward(nn::Encoder& encoder, const data::Batch& batch,
                                                device::Precision precision,
                                                const optim::LossScaler* scaler = nullptr) override;
    std::vector<std::string> columns() const override { return {"paws-xent-loss", "paws-me_max-reg"}; }
    std::string describe(const logging::StepValues& values) const override;
    GatheredRows gathered_rows(const config::Config& config) const override;

private:
    std::shared_ptr<const loss::SupportLabels> labels_;
    loss::PawsLossSettings settings_;
};
}  // namespace paws::methods
