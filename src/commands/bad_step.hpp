#pragma once

#include <filesystem>

#include "src/comm/communicator.hpp"
#include "src/train/trainer.hpp"

namespace paws::commands
{
/// Collective: the first rank writes which images each rank had in the step whose loss is NaN or infinite, as JSON:
/// {"epoch", "step", "ranks": [{"supports": [...], "unlabelled": [...]}, ...]}; epochs from 1, steps from 0, images
/// as positions in the training split, from 0. What cannot be written is left out: the failure itself is said in any
/// case.
void write_bad_step(const std::filesystem::path& path, const train::NotFinite& failure,
                    comm::Communicator& communicator);
}  // namespace paws::commands
