#pragma once

#include <cstdint>

#include "src/comm/world.hpp"

namespace paws::session
{
/// Starts Kokkos, on the rank's GPU if world.device is one, which is LibTorch's current device then too; sets the
/// threads of Kokkos, OpenMP and LibTorch alike (OpenBLAS: see device/blas_threads.hpp); stops Kokkos at the end.
/// `threads`: 0 takes the rank's cores (see ranks::resources_of_rank), as far as Kokkos and OpenMP can use them. The
/// environment's variables for threads and devices do not count; the first rank says so. Collective; one per process.
/// Throws config::Error where Kokkos or the threads cannot be started, or memory is limited to too little.
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
