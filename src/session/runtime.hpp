#pragma once

#include <cstdint>

#include "src/comm/world.hpp"

namespace paws::session
{
/// The cores that this process may run on (its affinity mask), at least 1.
std::int64_t usable_cores();

/// This rank's part of the cores that it may run on: launchers that bind no ranks give all of a node the same cores.
/// Collective.
std::int64_t cores_of_rank(const comm::World& world);

/// Starts Kokkos, on the rank's GPU if world.device is one, which is LibTorch's current device then too; sets the
/// threads of Kokkos, OpenMP and LibTorch alike (OpenBLAS: see nn/blas_threads.hpp); stops Kokkos at the end.
/// `threads`: 0 takes cores_of_rank(world), as far as Kokkos and OpenMP can use them. The environment's variables for
/// threads and devices do not count; the first rank says so. Collective; one per process. Throws config::Error where
/// Kokkos or the threads cannot be started, or memory is limited to too little.
class ComputeSession
{
public:
    explicit ComputeSession(std::int64_t threads, const comm::World& world = {});
    ~ComputeSession();
    ComputeSession(const ComputeSession&) = delete;
    ComputeSession& operator=(const ComputeSession&) = delete;

    std::int64_t threads() const { return threads_; }

private:
    std::int64_t threads_ = 1;
};
}  // namespace paws::session
