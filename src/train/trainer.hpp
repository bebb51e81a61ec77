#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>

#include "src/checkpoint/checkpoint.hpp"
#include "src/comm/gradient_reducer.hpp"
#include "src/config/config.hpp"
#include "src/data/dataset.hpp"
#include "src/device/precision.hpp"
#include "src/methods/method.hpp"
#include "src/nn/encoder.hpp"
#include "src/optim/lars_sgd.hpp"
#include "src/optim/loss_scaler.hpp"
#include "src/optim/schedule.hpp"
#include "src/train/step_graph.hpp"
#include "src/train/step_sums.hpp"

namespace paws::train
{
/// How training goes, after each step; means are over the epoch so far.
struct StepReport
{
    std::int64_t epoch = 0;          ///< from 0
    std::int64_t step = 0;           ///< of this epoch, from 0
    logging::StepValues values;      ///< the method's, of all ranks' images
    logging::StepValues own_values;  ///< the same of this rank's images
    double learning_rate = 0;
    double step_milliseconds = 0;
    double images_per_second = 0;  ///< as the method counts them, of this epoch and all ranks
    double data_wait_share = 0;    ///< of this epoch's time, of this rank
    double comm_wait_share = 0;    ///< communication that nothing hides, waiting for slower ranks included
    double epoch_seconds = 0;      ///< since the epoch began or went on
    bool read = true;              ///< whether the values are as of this step: on a device they are read only when
                                   ///< somebody needs them, and those of the last reading stand here in between
    std::int64_t left_out = 0;     ///< fp16: steps of this epoch, since it began or went on, whose gradients have
                                   ///< overflowed and changed no weights; as of the last reading
    double loss_scale = 1;         ///< fp16: likewise
    std::string note;              ///< what the user should know, once; usually nothing
    bool stops = false;            ///< a rank asked for it: this is the last step for now
    bool saves = false;            ///< a rank asked for a checkpoint
};

/// What a rank wants of all after a step.
struct StepRequest
{
    bool stop = false;
    bool save = false;
};

/// A loss or a gradient that is no number. Under fp16 gradients may be that as long as there is a smaller loss scale, 1
/// at least, to take the next step with.
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

/// Training of one network by the method of the configuration, epoch by epoch, by all ranks together: each makes its
/// share of every batch, and all have the same weights at all times. On a GPU nobody waits for the device but where
/// values are read: every logging.log_every steps, at a checkpoint and at the end of an epoch. On a CPU each step is
/// read.
class Trainer
{
public:
    using OnStep = std::function<void(const StepReport&)>;
    using Asked = std::function<StepRequest()>;

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
    /// Collective, between epochs or in OnStep: the first rank gets everything that the next step depends on, a copy,
    /// in the memory of `recycled` where it fits. The other ranks get an empty one.
    io::Checkpoint snapshot(io::Checkpoint recycled = {});

    /// Collective: the epoch of the method up to its end, or until a rank asks to stop; true at its end. `asked` is
    /// called on every rank after each step, and what one asks for is done by all. Throws NotFinite on all ranks.
    bool run_epoch(const OnStep& on_step, const Asked& asked = {});

    /// From here on values are read only where somebody needs them, as on a GPU.
    void read_when_needed() { reads_each_step_ = false; }

    /// What an evaluation of the weights as they are has found, from 0 to 1: from now on it decides which are the best.
    void record_accuracy(double top1);

    std::int64_t steps_per_epoch() const { return method_->steps_per_epoch(); }
    const checkpoint::TrainingProgress& progress() const { return progress_; }
    /// Whether the weights are the best so far: of the highest accuracy, or, as long as there is none, of the epoch
    /// with the lowest mean loss.
    bool is_best() const { return is_best_; }
    nn::Encoder& encoder() { return *encoder_; }
    torch::Device device() const { return device_; }
    const methods::Method& method() const { return *method_; }
    /// What was said of the broken images that this rank replaced in the epoch that just ended (data.skip_broken).
    std::set<std::string> broken_images() const { return method_->broken(); }
    /// The number of ranks whose mathematics is computed.
    std::int64_t world_size() const { return share_.world_size; }

private:
    /// Gives what a step leaves on the device: its values, and last the optimiser's count of bad gradients.
    std::vector<torch::Tensor> take_step();
    /// Collective: what the steps up to `step` have come to goes into the means. Gives the means of `extra` over ranks.
    logging::StepValues read_sums(std::int64_t step, const logging::StepValues& extra = {});
    void require_same_data(const std::filesystem::path& checkpoint, const data::Content& data);
    void require_possible_place(const std::filesystem::path& checkpoint) const;
    void note_other_world(const std::filesystem::path& checkpoint);
    void note_other_epochs(const std::filesystem::path& checkpoint, std::int64_t epochs_before);
    [[noreturn]] void fail(const std::string& what, std::int64_t last_step, const SumsReading& reading,
                           std::int64_t steps);
    StepRequest agree(const StepRequest& asked, std::int64_t step, bool is_due);
    const optim::LossScaler* scaler() const { return scaler_ ? &*scaler_ : nullptr; }

    config::Config config_;
    device::Precision precision_;
    std::shared_ptr<comm::Communicator> communicator_;
    torch::Device device_;
    data::RankShare share_;
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
    checkpoint::Means means_, own_means_;  ///< of the epoch
    std::int64_t left_out_ = 0;            ///< of the epoch
    double loss_scale_ = 1;                ///< as last read
    bool is_best_ = false;
};
}  // namespace paws::train
