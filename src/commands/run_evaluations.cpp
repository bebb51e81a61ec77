#include "src/commands/run_evaluations.hpp"

#include "src/commands/classifier_evaluation.hpp"
#include "src/commands/evaluation.hpp"

namespace paws::commands
{
RunEvaluations::RunEvaluations(const config::Config& config, const data::Dataset& dataset, device::Precision precision,
                               const comm::World& world)
    : config_(config), dataset_(dataset), precision_(precision), world_(world)
{
}

bool RunEvaluations::is_due(std::int64_t epochs_done) const
{
    const auto every = config_.logging.eval_every;
    // Published fine-tuning with soft nearest neighbours is evaluated before each epoch: what it began with counts.
    const bool counts = config_.task == config::Task::snn_fine_tune || epochs_done > 0;
    return every > 0 && counts && (epochs_done % every == 0 || epochs_done == config_.optimization.epochs);
}

loss::Accuracy RunEvaluations::evaluate(train::Trainer& trainer)
{
    auto& communicator = *world_.communicator;
    last_ = config_.task == config::Task::fine_tune
                ? held_out_accuracy(trainer.encoder(), dataset_, config_, precision_, communicator)
                : snn_accuracy(trainer.encoder(), dataset_, config_, precision_, communicator);
    trainer.record_accuracy(last_->top1);
    return *last_;
}
}  // namespace paws::commands
