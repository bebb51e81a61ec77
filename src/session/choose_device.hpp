#pragma once

#include <torch/types.h>

#include <string>
#include <vector>

#include "src/comm/world.hpp"
#include "src/config/config.hpp"

namespace paws::session
{
/// What a rank may choose from.
struct VisibleGpus
{
    std::string host;
    std::vector<std::string> ids;  ///< of its GPUs, by their numbers there; the same GPU has the same one on all ranks
};

/// The device of every rank, as meta.device says. Ranks that see the same GPUs, as those of a node do, take one after
/// the other in their order, so that each has one of its own; where launchers show each rank another one, that is it.
///     cpu      all compute on CPUs
///     cuda     all on GPUs
///     cuda:N   likewise, beginning with number N: published files say cuda:0 on any number of ranks
///     auto     all on GPUs where there are any, else on CPUs
/// Throws config::Error where ranks would share a GPU, or some of them see none.
std::vector<torch::Device> choose_devices(const std::string& setting, const std::vector<VisibleGpus>& ranks);

/// Collective: this rank's device. Ranks of a node are told apart by the GPUs that they see, without any variable of a
/// job system.
torch::Device choose_device(const config::Meta& meta, const comm::World& world);
}  // namespace paws::session
