#pragma once

// Checkpoints of the published PyTorch code, and their way to ours and back:
//
//     {"encoder": OrderedDict("module.NAME": tensor), "opt": {"state": {i: {"momentum_buffer": tensor}},
//      "param_groups": [{...}, {...}]}, "epoch": epochs done, "loss": ..., "amp": the loss scaler's, ...}
//
// Parameters are numbered through two groups: first those with weight decay and layer-wise adaptation, then the others.

#include <functional>
#include <string>
#include <vector>

#include "io/checkpoint/checkpoint_file.hpp"
#include "io/torch/torch_value.hpp"

namespace paws::io
{
/// What the published files say of a run's settings.
struct PublishedSettings
{
    double lr = 0;
    double momentum = 0.9;
    double weight_decay = 0;
    bool nesterov = false;
    double unlabel_prob = 0;
    std::int64_t s_batch_size = 0;
    std::int64_t u_batch_size = 0;
    double temperature = 0.1;
};

/// What files cannot know.
struct PublishedRules
{
    std::function<bool(const std::string& name)> excluded;  ///< whether a parameter is of the second group
    std::function<PublishedSettings(const std::string& config)> settings;
};

/// A checkpoint, and what was done with it that its owner should know, a line each.
struct ReadCheckpoint
{
    Checkpoint checkpoint;
    std::vector<std::string> notes;
};

/// `root`: of a file of torch.save. Weights are looked for under `encoder`, `state_dict`, `model_state_dict` and
/// `model`, or are all there is (as torchvision's are); a prefix that all names have (`module.`) goes. Nothing is lost:
/// what has no other place is kept in `pytorch`. A file that to_published() made gives the checkpoint that it was made
/// of. Throws Error, naming `source`, if it holds no weights.
ReadCheckpoint from_published(TorchValue root, const std::string& source, const PublishedRules& rules);

/// The published dictionary; what it has no place for goes under `paws_hpc`, which the published code does not look at.
/// A checkpoint that from_published() made gives back what it was made of. Throws Error, naming `source`.
TorchValue to_published(const Checkpoint& checkpoint, const std::string& source, const PublishedRules& rules);
}  // namespace paws::io
