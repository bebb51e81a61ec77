#pragma once

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

/// The ranks that the program was started on.
class Ranks
{
public:
    /// A single process.
    Ranks() = default;
    /// All ranks of MPI; collective.
    explicit Ranks(comm::Watch& watch, comm::World world) : watch_(&watch), world_(std::move(world)) {}

    const comm::World& world() const { return world_; }
    bool is_alone() const { return world_.world_size() == 1; }

    /// Collective. See meta.comm_timeout.
    void set_timeout(std::chrono::milliseconds timeout);

    /// Collective: from now on this rank computes on `device`, and the communicator carries tensors there. A GPU is the
    /// current device by now. Calls on GPUs that never end are failures of the rank.
    void use_device(const torch::Device& device);

private:
    comm::Watch* watch_ = nullptr;
    comm::World world_;
    std::chrono::milliseconds timeout_ = first_timeout;
};

/// Starts MPI, calls `work` on every rank, and gives the exit code: what `work` returns, the same on all. However ranks
/// fail, all end with the same code, and one of them prints one line, "paws_hpc: ...", which names rank and host unless
/// all failed alike. `identity`: what must be the same on all ranks before they do anything together: name and version
/// of the program.
int launch(int argc, char** argv, const std::string& identity, const std::function<int(Ranks&)>& work);
}  // namespace paws::cli
