#pragma once

#include <mpi.h>

#include <chrono>
#include <memory>

#include "src/comm/communicator.hpp"

namespace paws::comm
{
/// Ranks of an MPI communicator, for tensors in host memory. All calls are non-blocking ones that are polled, so that a
/// rank that never answers ends in an Error after `deadline`, a waiting rank leaves its core to others, and reductions
/// that are under way go on while another call waits. Calls come from one thread at a time.
/// Its group names ranks and has the same deadline. `comm` is duplicated; this is collective.
std::shared_ptr<Communicator> make_mpi_communicator(MPI_Comm comm, std::chrono::milliseconds deadline);
}  // namespace paws::comm
