#include "src/commands/run_evaluations.hpp"

#include "src/commands/classifier_evaluation.hpp"
#include "src/commands/evaluation.hpp"

namespace paws::commands
{
RunEvaluations::RunEvaluations(const config::Config& config, const data::Dataset& dataset, device::Precision precision,
                               train::Trainer& trainer, const comm::World& world)
    : config_(config), dataset_(dataset), precision_(precision), trainer_(trainer), world_(world)
{
}

bool RunEvaluations::is_due(std::int64_t epochs_done) const
{
    const auto every = config_.logging.eval_every;
    return every > 0 && (epochs_done % every == 0 || epochs_done == config_.optimization.epochs);
}

void RunEvaluations::before_training(train::EpochReport& report)
{
    // Published fine-tuning with soft nearest neighbours is evaluated before each epoch: what it began with counts.
    if (config_.task == config::Task::snn_fine_tune && report.steps_done == 0 && is_due(0))
    {
        evaluate(report);
    }
}

void RunEvaluations::after_epoch(train::EpochReport& report)
{
    if (is_due(report.epochs_done))
    {
        evaluate(report);
    }
}

void RunEvaluations::evaluate(train::EpochReport& report)
{
    auto& communicator = *world_.communicator;
    last_ = config_.task == config::Task::fine_tune
                ? held_out_accuracy(trainer_.encoder(), dataset_, config_, precision_, communicator)
                : snn_accuracy(trainer_.encoder(), dataset_, config_, precision_, communicator);
    trainer_.record_accuracy(last_->top1);
    report.accuracy = last_;
}

void RunEvaluations::summarise(Summary& summary) const
{
    if (last_)
    {
        summary["top1"] = last_->top1;
        summary["top5"] = last_->top5;
    }
    if (const auto best = trainer_.progress().best_top1)
    {
        summary["best_top1"] = *best;
    }
}
}  // namespace paws::commands
