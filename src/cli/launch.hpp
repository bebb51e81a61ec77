#pragma once

#include <c10/core/Device.h>

#include <chrono>
#include <functional>
#include <string>

#include "src/comm/world.hpp"

namespace paws::comm
{
class Watch;
}

namespace paws::cli
{
/// Until the configuration has been read, which says otherwise.
inline constexpr auto first_timeout = std::chrono::seconds(60);

/// What the program does on every rank; returns the exit code, the same on all.
using Work = std::function<int(comm::World&)>;

/// Collective. See meta.comm_timeout.
void set_timeout(comm::World& world, std::chrono::milliseconds timeout);

/// Collective: from now on this rank computes on `device`, and the communicator carries tensors there. A GPU is the
/// current device by now. Calls on GPUs that never end are failures of the rank.
void use_device(comm::World& world, const c10::Device& device);

/// Starts MPI, calls `work` on every rank, and gives the exit code: what `work` returns. However ranks fail, all end
/// with the same code, and one of them prints one line, "paws_hpc: ...", which names rank and host unless all failed
/// alike. `identity`: what must be the same on all ranks before they do anything together: name and version of the
/// program.
int launch(int argc, char** argv, const std::string& identity, const Work& work);
}  // namespace paws::cli
