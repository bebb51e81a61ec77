#pragma once

#include "src/data/paws_loader.hpp"
#include "src/loss/contrastive_settings.hpp"
#include "src/loss/support_labels.hpp"
#include "src/methods/context.hpp"
#include "src/methods/method.hpp"
#include "src/methods/support_batches.hpp"

namespace paws::methods
{
/// SimCLR on the unlabelled images, with SuNCEt (arXiv 2006.10803) on labelled ones in the first epochs. All images go
/// through the network together; a batch without supports trains SimCLR alone. Values: the SuNCEt loss, 0 for a batch
/// without supports, and the SimCLR loss; their sum is minimised.
class Suncet final : public Method
{
public:
    using Loader = data::PawsLoader;

    explicit Suncet(const Context& context);
    /// `labels`: those of the supports of all ranks, on the network's device.
    Suncet(std::shared_ptr<const loss::SupportLabels> labels, loss::ContrastiveSettings settings);

    static void require_learnable(const config::Config& config, std::int64_t world_size);

    std::vector<torch::Tensor> forward_backward(nn::Encoder& encoder, const data::Batch& batch,
                                                device::Precision precision,
                                                const optim::LossScaler* scaler = nullptr) override;
    std::vector<std::string> columns() const override { return {"suncet-loss", "simclr-loss"}; }
    std::string describe(const logging::StepValues& values) const override;
    GatheredRows gathered_rows(const config::Config& config) const override { return contrastive_rows(config); }

private:
    std::shared_ptr<const loss::SupportLabels> labels_;
    loss::ContrastiveSettings settings_;
};
}  // namespace paws::methods
