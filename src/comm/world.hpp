#pragma once

#include <mpi.h>
#include <torch/torch.h>

#include <chrono>
#include <memory>

#include "src/comm/communicator.hpp"

namespace paws::comm
{
/// The ranks of a run and how they lie on nodes.
struct World
{
    std::shared_ptr<Communicator> communicator = make_single_rank();
    MPI_Comm mpi = MPI_COMM_SELF;  ///< the same ranks, for files that they read or write together (io/)
    int rank_on_node = 0;
    int ranks_on_node = 1;
    int nodes = 1;
    torch::Device device = torch::kCPU;  ///< what this rank computes on; on GPUs, the communicator carries its tensors

    int rank() const { return communicator->rank(); }
    int world_size() const { return communicator->world_size(); }
    /// The one that speaks, and writes what is written once.
    bool is_first() const { return rank() == 0; }
};

/// Collective. Nodes are told apart by their shared memory, so no variable of a job system is needed.
/// `deadline`: see make_mpi_communicator.
World make_world(MPI_Comm mpi, std::chrono::milliseconds deadline);
}  // namespace paws::comm
