#pragma once

#include <cstdint>
#include <optional>

#include "src/comm/world.hpp"
#include "src/config/config.hpp"
#include "src/data/dataset.hpp"
#include "src/device/precision.hpp"
#include "src/loss/snn_classifier.hpp"
#include "src/train/trainer.hpp"

namespace paws::commands
{
/// The evaluations of a training run, every logging.eval_every epochs and after the last one: soft nearest neighbours
/// on the validation split, or, for fine_tune, the classifier on the held-out images.
class RunEvaluations
{
public:
    /// All of it must outlive this.
    RunEvaluations(const config::Config& config, const data::Dataset& dataset, device::Precision precision,
                   const comm::World& world);

    bool is_due(std::int64_t epochs_done) const;

    /// Collective: that of the network as it is, of which the trainer is told top-1.
    loss::Accuracy evaluate(train::Trainer& trainer);

    const std::optional<loss::Accuracy>& last() const { return last_; }

private:
    const config::Config& config_;
    const data::Dataset& dataset_;
    device::Precision precision_;
    const comm::World& world_;
    std::optional<loss::Accuracy> last_;
};
}  // namespace paws::commands
