// Catch2 under MPI and Kokkos: every test may use both, on any number of ranks.
#define CATCH_CONFIG_RUNNER
#include "tests/support/catch.hpp"

#include <mpi.h>
#include <Kokkos_Core.hpp>

int main(int argc, char** argv)
{
    int provided = 0;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided);
    int failures = 0;
    {
        Kokkos::ScopeGuard kokkos(argc, argv);
        failures = Catch::Session().run(argc, argv);
    }
    int all_failures = 0;
    MPI_Allreduce(&failures, &all_failures, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    MPI_Finalize();
    return all_failures == 0 ? 0 : 1;
}
