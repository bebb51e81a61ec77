#pragma once

#include "src/data/labelled_loader.hpp"
#include "src/loss/contrastive_settings.hpp"
#include "src/loss/support_labels.hpp"
#include "src/methods/context.hpp"
#include "src/methods/method.hpp"
#include "src/methods/support_batches.hpp"

namespace paws::methods
{
/// SuNCEt (arXiv 2006.10803) on the labelled images alone, with the batch-norm statistics of pre-training.
class SnnFineTuning final : public Method
{
public:
    using Loader = data::LabelledLoader;

    explicit SnnFineTuning(const Context& context);

    static void require_learnable(const config::Config& config, std::int64_t world_size);

    std::vector<torch::Tensor> forward_backward(nn::Encoder& encoder, const data::Batch& batch,
                                                device::Precision precision,
                                                const optim::LossScaler* scaler = nullptr) override;
    bool freezes_statistics() const override { return true; }
    std::vector<std::string> columns() const override { return {"suncet-loss"}; }
    std::string describe(const logging::StepValues& values) const override;
    GatheredRows gathered_rows(const config::Config& config) const override { return contrastive_rows(config); }

private:
    std::shared_ptr<const loss::SupportLabels> labels_;
    loss::ContrastiveSettings settings_;
};
}  // namespace paws::methods
