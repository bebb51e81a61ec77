#pragma once

#include <cstdint>
#include <optional>

#include "src/comm/world.hpp"
#include "src/commands/summary.hpp"
#include "src/config/config.hpp"
#include "src/data/dataset.hpp"
#include "src/device/precision.hpp"
#include "src/loss/snn_classifier.hpp"
#include "src/train/observer.hpp"
#include "src/train/trainer.hpp"

namespace paws::commands
{
/// The evaluations of a training run, every logging.eval_every epochs and after the last one: soft nearest neighbours
/// on the validation split, or, for fine_tune, the classifier on the held-out images.
class RunEvaluations final : public train::Observer
{
public:
    /// All of it must outlive this.
    RunEvaluations(const config::Config& config, const data::Dataset& dataset, device::Precision precision,
                   train::Trainer& trainer, const comm::World& world);

    void before_training(train::EpochReport& report) override;
    void after_epoch(train::EpochReport& report) override;
    void summarise(Summary& summary) const override;

private:
    bool is_due(std::int64_t epochs_done) const;
    /// Collective: of the network as it is, of which the trainer is told top-1.
    void evaluate(train::EpochReport& report);

    const config::Config& config_;
    const data::Dataset& dataset_;
    device::Precision precision_;
    train::Trainer& trainer_;
    const comm::World& world_;
    std::optional<loss::Accuracy> last_;
};
}  // namespace paws::commands
