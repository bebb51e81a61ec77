#pragma once

#include <mpi.h>

#include <memory>

#include "src/comm/mpi_communicator.hpp"

namespace paws::test
{
/// All ranks that a test was started on.
inline std::shared_ptr<comm::Communicator> world()
{
    // Never destroyed: MPI ends before static objects do.
    static const auto* const communicator =
        new std::shared_ptr(comm::make_mpi_communicator(MPI_COMM_WORLD, std::chrono::seconds(60)));
    return *communicator;
}
}  // namespace paws::test
