#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "src/comm/gradient_reducer.hpp"
#include "src/config/config.hpp"
#include "src/data/dataset.hpp"
#include "src/nn/encoder.hpp"
#include "src/nn/precision.hpp"
#include "src/optim/lars_sgd.hpp"
#include "src/optim/schedule.hpp"
#include "src/train/checkpoint.hpp"
#include "src/train/method.hpp"

namespace paws::train
{
/// How training goes, after each step; means are over the epoch so far.
struct StepReport
{
    std::int64_t epoch = 0;  ///< from 0
    std::int64_t step = 0;   ///< of this epoch, from 0
    StepValues values;       ///< the method's, of all ranks' pictures
    StepValues own_values;   ///< the same of this rank's pictures
    double learning_rate = 0;
    double step_milliseconds = 0;
    double pictures_per_second = 0;  ///< as the method counts them, of this epoch and all ranks
    double data_wait_share = 0;      ///< of this epoch's time, of this rank
    double comm_wait_share = 0;      ///< communication that nothing hides, waiting for slower ranks included
    double epoch_seconds = 0;
};

/// Training of one network by the method of the configuration, epoch by epoch, by all ranks together: each makes its
/// share of every batch, and all have the same weights at all times.
class Trainer
{
public:
    using OnStep = std::function<void(const StepReport&)>;

    /// The network that starting_network gives. `dataset` must outlive the trainer.
    Trainer(const config::Config& config, const data::Dataset& dataset, nn::Precision precision,
            std::shared_ptr<comm::Communicator> communicator = comm::make_single_rank());

    void resume(const std::filesystem::path& checkpoint);
    /// Collective: weights and momentum of the first rank to all; before the first epoch. What comes before it is each
    /// rank's own.
    void synchronise();
    void save(const std::filesystem::path& checkpoint) const;

    /// Collective: one epoch of the method; returns the mean loss. Throws std::runtime_error when the loss is no
    /// number.
    double run_epoch(const OnStep& on_step);

    /// What an evaluation of the weights as they are has found, from 0 to 1: from now on it decides which are the best.
    void record_accuracy(double top1);

    std::int64_t steps_per_epoch() const { return method_->steps_per_epoch(); }
    const TrainingProgress& progress() const { return progress_; }
    /// Whether the weights are the best so far: of the highest accuracy, or, as long as there is none, of the epoch
    /// with the lowest mean loss.
    bool is_best() const { return is_best_; }
    nn::Encoder& encoder() { return *encoder_; }
    const Method& method() const { return *method_; }
    /// What was said of the broken pictures that this rank replaced in the epoch that just ended (data.skip_broken).
    std::set<std::string> broken_pictures() const { return method_->broken(); }
    /// The number of ranks whose mathematics is computed.
    std::int64_t world_size() const { return share_.world_size; }

private:
    config::Config config_;
    nn::Precision precision_;
    std::shared_ptr<comm::Communicator> communicator_;
    data::RankShare share_;
    std::unique_ptr<Method> method_;
    std::shared_ptr<nn::Encoder> encoder_;
    std::unique_ptr<optim::LarsSgd> optimizer_;
    std::unique_ptr<comm::GradientReducer> reducer_;
    optim::WarmupCosine schedule_;
    TrainingProgress progress_;
    bool is_best_ = false;
};
}  // namespace paws::train
