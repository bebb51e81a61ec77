#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace paws::session
{
/// How many threads a rank computes with, and what is to be said about it.
struct ThreadChoice
{
    std::int64_t count = 1;
    std::vector<std::string> notes;
};

/// `wanted`: meta.threads, 0 for all of the rank's `cores`; `openmp_limit`: what OpenMP gives at most
/// (OMP_THREAD_LIMIT). Throws config::Error where more are wanted than there can be.
ThreadChoice choose_threads(std::int64_t wanted, std::int64_t cores, std::int64_t openmp_limit);

/// Takes those variables of Kokkos out of the environment that say otherwise than the program about threads and
/// devices, on which it would stop; those for tools stay. Gives what is to be said about them.
std::vector<std::string> take_kokkos_variables();

/// OpenMP's variables that are set, "OMP_DYNAMIC=true, OMP_THREAD_LIMIT=2".
std::string openmp_variables();

/// Bytes of a thread's stack, as OMP_STACKSIZE or GOMP_STACKSIZE say; 0 where they say nothing, or nothing that OpenMP
/// understands.
std::size_t openmp_stack_bytes();

/// Makes OpenMP start `count` threads, whatever the environment says. Throws config::Error, which names what stands
/// against it, where they cannot be started.
void start_openmp(std::int64_t count);
}  // namespace paws::session
