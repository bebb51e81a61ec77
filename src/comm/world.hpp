#pragma once

#include <c10/core/Device.h>
#include <mpi.h>

#include <chrono>
#include <memory>

#include "src/comm/communicator.hpp"

namespace paws::comm
{
/// The ranks of a run and how they lie on nodes.
struct World
{
    std::shared_ptr<Communicator> communicator = make_single_rank();
    int ranks_on_node = 1;
    int nodes = 1;
    c10::Device device = c10::kCPU;  ///< what this rank computes on; on GPUs, the communicator carries its tensors

    const ranks::Group& group() const { return communicator->group(); }
    int rank() const { return communicator->rank(); }
    int world_size() const { return communicator->world_size(); }
    /// The one that speaks, and writes what is written once.
    bool is_first() const { return rank() == 0; }
};

/// Collective. Nodes are told apart by their shared memory, so no variable of a job system is needed.
/// `deadline`: see make_mpi_communicator.
World make_world(MPI_Comm mpi, std::chrono::milliseconds deadline);
}  // namespace paws::comm
