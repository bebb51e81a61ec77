#pragma once

#include "src/data/labelled_loader.hpp"
#include "src/methods/context.hpp"
#include "src/methods/method.hpp"

namespace paws::methods
{
/// A classifier on the labelled images. Values: the mean cross-entropy −log softmax(logits)[class], which is minimised,
/// and the share of the images whose class has the largest logit, in training mode.
class Classifier final : public Method
{
public:
    using Loader = data::LabelledLoader;

    Classifier() = default;
    explicit Classifier(const Context&) {}

    /// Every configuration is.
    static void require_learnable(const config::Config&, std::int64_t) {}

    std::vector<torch::Tensor> forward_backward(nn::Encoder& encoder, const data::Batch& batch,
                                                device::Precision precision,
                                                const optim::LossScaler* scaler = nullptr) override;
    std::vector<std::string> columns() const override { return {"cross-entropy-loss", "train-top1"}; }
    double loss_of(const logging::StepValues& values) const override { return values[0]; }
    std::string describe(const logging::StepValues& values) const override;
};
}  // namespace paws::methods
