// Catch2 under MPI, and under Kokkos where kernels are tested: every test may use them, on any number of ranks.
#include <mpi.h>
#ifdef PAWS_TESTS_START_KOKKOS
#include <Kokkos_Core.hpp>

#include "tests/support/launches.hpp"
#endif

#include "tests/support/catch_runner.hpp"

int main(int argc, char** argv)
{
    int provided = 0;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided);
    int failures = 0;
    {
#ifdef PAWS_TESTS_START_KOKKOS
        const Kokkos::ScopeGuard kokkos(argc, argv);
        paws::test::check_launches();
#endif
        failures = paws::test::run_tests(argc, argv);
    }
    int all_failures = 0;
    MPI_Allreduce(&failures, &all_failures, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    MPI_Finalize();
    return all_failures == 0 ? 0 : 1;
}
