#pragma once

#include <filesystem>
#include <limits>
#include <optional>

#include "io/checkpoint_file.hpp"
#include "src/config/config.hpp"
#include "src/data/samplers.hpp"
#include "src/nn/encoder.hpp"
#include "src/optim/lars_sgd.hpp"
#include "src/train/epoch_meters.hpp"

namespace paws::train
{
/// Where a training run stands, weights and momentum aside.
struct TrainingProgress
{
    std::int64_t epochs_done = 0;
    std::int64_t steps_done = 0;
    double best_loss = std::numeric_limits<double>::infinity();  ///< lowest mean loss of an epoch
    double loss = 0;                                             ///< mean loss of the last epoch
    data::SamplerState samplers;                                 ///< as they stood at the beginning of the epoch
    EpochMeters meters;                                          ///< of the epoch that has begun
    std::int64_t world_size = 1;  ///< whose mathematics was computed: steps and samplers are of such a world
};

/// A copy of all that a `paws-checkpoint` file holds, in the memory of `recycled` where it fits: it goes on to be
/// written while training goes on.
io::Checkpoint make_checkpoint(const nn::Encoder& encoder, const optim::LarsSgd& optimizer,
                               const TrainingProgress& progress, const config::Config& config,
                               io::Checkpoint recycled = {});

/// Writes a `paws-checkpoint` file, atomically.
void save_checkpoint(const std::filesystem::path& path, const nn::Encoder& encoder, const optim::LarsSgd& optimizer,
                     const TrainingProgress& progress, const config::Config& config);

/// Reads weights, momentum and progress back. Throws io::Error that names the first tensor which is missing, left over,
/// or of another shape than the network of the configuration, and refuses a checkpoint of a run with other settings,
/// naming them.
TrainingProgress resume_from(const std::filesystem::path& path, nn::Encoder& encoder, optim::LarsSgd& optimizer,
                             const config::Config& config);

/// Copies the backbone (everything but the heads `fc` and `pred`) of a checkpoint into `encoder`. Throws io::Error that
/// names the first tensor which is missing or of another shape.
void load_backbone(const std::filesystem::path& path, nn::Encoder& encoder);

/// A network as a checkpoint holds it, for evaluation.
struct PretrainedEncoder
{
    std::shared_ptr<nn::Encoder> encoder;
    config::Config config;  ///< of the run that made it
    std::int64_t epochs_done = 0;
};
PretrainedEncoder load_encoder(const std::filesystem::path& path);
}  // namespace paws::train
