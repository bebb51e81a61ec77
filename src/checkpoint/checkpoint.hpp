#pragma once

#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "io/checkpoint/checkpoint_file.hpp"
#include "src/checkpoint/epoch_meters.hpp"
#include "src/checkpoint/stored_checkpoint.hpp"
#include "src/config/config.hpp"
#include "src/data/content.hpp"
#include "src/data/samplers.hpp"
#include "src/nn/encoder.hpp"
#include "src/optim/lars_sgd.hpp"
#include "src/optim/loss_scaler.hpp"

namespace paws::checkpoint
{
/// Where a training run stands, weights and momentum aside.
struct TrainingProgress
{
    std::int64_t epochs_done = 0;
    std::int64_t steps_done = 0;
    double best_loss = std::numeric_limits<double>::infinity();  ///< lowest mean loss of an epoch
    double loss = 0;                                             ///< mean loss of the last epoch
    std::optional<double> top1;  ///< from 0 to 1; of these weights, where they were evaluated
    std::optional<double> best_top1;
    data::SamplerState samplers;                   ///< as they stood at the beginning of the epoch
    EpochMeters meters;                            ///< of the epoch that has begun
    std::optional<optim::LossScalerState> scaler;  ///< of an fp16 run
    data::Content data;                            ///< what it is trained on; empty where the file does not say it
    std::optional<std::int64_t> epochs_before;     ///< optimization.epochs of the checkpoint, where that was less
    std::int64_t world_size = 1;     ///< whose mathematics was computed: steps and samplers are of such a world; 0: of
                                     ///< the published code, which keeps epochs alone
    std::vector<std::string> notes;  ///< what the user should know about where it comes from, a line each
};

/// A copy of all that a `paws-checkpoint` file holds, in the memory of `recycled` where it fits: it goes on to be
/// written while training continues. Waits for the device that the weights lie on.
io::Checkpoint make_checkpoint(const nn::Encoder& encoder, const optim::LarsSgd& optimizer,
                               const TrainingProgress& progress, const config::Config& config,
                               io::Checkpoint recycled = {});

/// Writes a `paws-checkpoint` file, atomically.
void save_checkpoint(const std::filesystem::path& path, const nn::Encoder& encoder, const optim::LarsSgd& optimizer,
                     const TrainingProgress& progress, const config::Config& config);

/// Reads weights, momentum and progress back, from a checkpoint of either kind (see read_stored_checkpoint). Throws
/// io::Error that names the tensors which are missing, left over, or of another shape than the network's, and refuses a
/// checkpoint of a run with other settings, naming them; more epochs are accepted. One of the published code has no
/// settings to compare.
TrainingProgress resume_from(const std::filesystem::path& path, nn::Encoder& encoder, optim::LarsSgd& optimizer,
                             const config::Config& config);

/// Copies the backbone (everything but the heads `fc` and `pred`) of a checkpoint of either kind into `encoder`. As the
/// published code does, it takes what fits and leaves the rest as it was. Gives what the user should know, a line each:
/// names that are missing, left over or of another shape. Throws io::Error if less than half of the backbone fits.
std::vector<std::string> load_backbone(const std::filesystem::path& path, nn::Encoder& encoder);

/// The same for the entries whose names `wanted` accepts, of a checkpoint that has been read.
std::vector<std::string> load_entries(StoredCheckpoint stored, nn::Encoder& encoder,
                                      const std::function<bool(const std::string&)>& wanted);

/// A network as a checkpoint holds it, for evaluation.
struct PretrainedEncoder
{
    std::shared_ptr<nn::Encoder> encoder;
    config::Config config;  ///< of the run that made it, or what its weights tell; notices: what the user should know
    std::int64_t epochs_done = 0;
    data::Content data;          ///< what it was trained on, as far as the file says it
    std::filesystem::path path;  ///< of the file that was read
};

/// From a checkpoint of either kind, all of whose weights must fit. Throws io::Error.
PretrainedEncoder load_encoder(const std::filesystem::path& path);
}  // namespace paws::checkpoint
