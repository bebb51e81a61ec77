#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "src/checkpoint/checkpoint.hpp"
#include "src/comm/gradient_reducer.hpp"
#include "src/config/config.hpp"
#include "src/data/dataset.hpp"
#include "src/data/loader.hpp"
#include "src/data/rank_share.hpp"
#include "src/device/precision.hpp"
#include "src/methods/method.hpp"
#include "src/nn/encoder.hpp"
#include "src/optim/lars_sgd.hpp"
#include "src/optim/loss_scaler.hpp"
#include "src/optim/schedule.hpp"
#include "src/train/observer.hpp"
#include "src/train/step_graph.hpp"
#include "src/train/step_sums.hpp"

namespace paws::train
{
/// A loss or a gradient that is NaN or infinite. Under fp16 gradients may be that as long as there is a smaller loss
/// scale, 1 at least, to take the next step with.
class NotFinite : public std::runtime_error
{
public:
    NotFinite(const std::string& message, std::int64_t epoch, std::int64_t step, data::StepRows rows)
        : std::runtime_error(message), epoch_(epoch), step_(step), rows_(std::move(rows))
    {
    }
    std::int64_t epoch() const { return epoch_; }  ///< from 0
    std::int64_t step() const { return step_; }    ///< of the epoch, from 0
    /// This rank's images.
    const data::StepRows& rows() const { return rows_; }

private:
    std::int64_t epoch_, step_;
    data::StepRows rows_;
};

/// Training of one network by the method of the configuration, epoch by epoch, by all ranks together: each takes its
/// share of every batch, and all have the same weights at all times. On a GPU nobody waits for the device but where
/// values are read: every logging.log_every steps, at a checkpoint and at the end of an epoch. On a CPU each step is
/// read.
class Trainer
{
public:
    /// The network that starting_network gives, on `device`. `dataset` must outlive the trainer.
    Trainer(const config::Config& config, const data::Dataset& dataset, device::Precision precision,
            std::shared_ptr<comm::Communicator> communicator = comm::make_single_rank(),
            torch::Device device = torch::kCPU);

    /// Goes on where the run of the checkpoint stood, within an epoch too. On another number of ranks it is the same
    /// place of the epoch, to the whole step. Throws io::Error for a checkpoint of a run on other data, as far as the
    /// first rank knows them, wherever they lay.
    void resume(const std::filesystem::path& checkpoint);
    /// Collective: weights and momentum of the first rank to all; before the first epoch. What comes before it is each
    /// rank's own.
    void synchronise();
    /// Collective, between steps: the first rank gets everything that the next step depends on, a copy, in the memory
    /// of `recycled` where it fits. The other ranks get an empty one.
    io::Checkpoint snapshot(io::Checkpoint recycled = {});

    /// Collective: trains until `epochs` epochs of the run are done, or a rank asks to stop; false if one has. What one
    /// rank asks for after a step is done by all. `observers` are told in their order. Throws NotFinite on all ranks.
    bool run(std::int64_t epochs, const Observers& observers = {});

    /// From here on values are read only where somebody needs them, as on a GPU.
    void read_when_needed() { reads_each_step_ = false; }

    /// What an evaluation of the weights as they are has found, from 0 to 1: from now on it decides which are the best.
    void record_accuracy(double top1);

    const checkpoint::TrainingProgress& progress() const { return progress_; }
    /// Whether the weights are the best so far: of the highest accuracy, or, as long as there is none, of the epoch
    /// with the lowest mean loss.
    bool is_best() const { return is_best_; }
    nn::Encoder& encoder() { return *encoder_; }
    torch::Device device() const { return device_; }
    const data::Loader& loader() const { return *loader_; }
    const methods::Method& method() const { return *method_; }
    /// The number of ranks whose mathematics is computed.
    std::int64_t world_size() const { return share_.world_size; }

private:
    using Clock = std::chrono::steady_clock;

    /// The time of the epoch that has begun, on this rank.
    struct Pace
    {
        std::int64_t first_step = 0;  ///< since it began or was resumed
        Clock::time_point epoch_start, step_start;
        double waited_before = 0;  ///< for other ranks, before the epoch
        checkpoint::Means step_milliseconds;
    };

    void begin_epoch();
    std::optional<data::Batch> next_batch();
    /// Gives what a step leaves on the device: its values, and last the optimiser's count of bad gradients.
    std::vector<torch::Tensor> take_step(const data::Batch& batch);
    /// Counts the step that has been taken. Gives its number in the epoch, from 0.
    std::int64_t advance();
    /// Collective, after step `step` of the epoch.
    StepRequest agree(std::int64_t step, const StepRequest& asked);
    const StepReport& report_step(std::int64_t step, const StepRequest& agreed);
    void finish_epoch();
    /// Collective: what the steps up to `step` have come to goes into the means, which are read by the host. Gives the
    /// means of `extra` over ranks. Throws NotFinite, on all ranks.
    logging::StepValues take_sums_into_means(std::int64_t step, const logging::StepValues& extra = {});
    void require_same_data(const std::filesystem::path& checkpoint, const data::Content& data);
    void require_possible_place(const std::filesystem::path& checkpoint) const;
    void note_other_world(const std::filesystem::path& checkpoint);
    void note_other_epochs(const std::filesystem::path& checkpoint, std::int64_t epochs_before);
    [[noreturn]] void fail(const std::string& what, std::int64_t last_step, const SumsReading& reading,
                           std::int64_t steps);
    const optim::LossScaler* scaler() const { return scaler_ ? &*scaler_ : nullptr; }
    StepGraph* graph() { return graph_ ? &*graph_ : nullptr; }

    config::Config config_;
    device::Precision precision_;
    std::shared_ptr<comm::Communicator> communicator_;
    torch::Device device_;
    data::RankShare share_;
    std::unique_ptr<data::Loader> loader_;
    std::unique_ptr<methods::Method> method_;
    std::string source_;  ///< where the data lie
    checkpoint::TrainingProgress progress_;
    std::shared_ptr<nn::Encoder> encoder_;
    std::unique_ptr<optim::LarsSgd> optimizer_;
    std::unique_ptr<comm::GradientReducer> reducer_;
    optim::WarmupCosine schedule_;
    std::optional<optim::LossScaler> scaler_;  ///< of fp16
    std::optional<StepGraph> graph_;           ///< of meta.cuda_graph
    StepSums sums_;                            ///< of the steps that are not in the means yet
    bool reads_each_step_;
    Pace pace_;
    StepReport report_;                    ///< of the epoch's last step
    checkpoint::Means means_, own_means_;  ///< of the epoch
    std::int64_t left_out_ = 0;            ///< of the epoch
    double loss_scale_ = 1;                ///< as last read
    bool is_best_ = false;
};
}  // namespace paws::train
