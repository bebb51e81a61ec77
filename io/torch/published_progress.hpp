#pragma once

// How far a run of the published code has come.

#include <map>
#include <string>
#include <vector>

#include "io/checkpoint/checkpoint_file.hpp"
#include "io/torch/torch_value.hpp"

namespace paws::io
{
/// The arrays that references stand for.
using ArraysByName = std::map<std::string, const Array*>;

struct PublishedProgress
{
    Progress progress;
    bool has_epoch = false;
    std::vector<std::string> notes;  ///< what is there but cannot be read, a line each
};

/// What the published keys of a checkpoint say. Numbers may also be booleans, or tensors of one number, as which
/// counters are often kept; `arrays` has those that stand in it as references. Throws Error, naming `source`, for an
/// epoch that is not a number of epochs: resuming from another one would change the schedule.
PublishedProgress published_progress(const TorchValue& root, const std::string& source, const ArraysByName& arrays);
}  // namespace paws::io
