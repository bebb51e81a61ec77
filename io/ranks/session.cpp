#include "io/ranks/session.hpp"

#include <mpi.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "io/ranks/launcher.hpp"
#include "io/ranks/mpi_call.hpp"

namespace paws::ranks
{
namespace
{
void set_if_unset(const char* variable, const char* value)
{
    constexpr int keep = 0;
    ::setenv(variable, value, keep);
}

/// Open MPI opens no file for several ranks of a node without a semaphore in /dev/shm, for shared file pointers, which
/// HDF5 never uses. Where none can be made, it is told to keep them in a file.
void do_without_shared_memory()
{
    if (!has_shared_memory())
    {
        set_if_unset("OMPI_MCA_sharedfp", "^sm");
    }
}

/// A process that no launcher started would start a daemon of Open MPI's, for MPI_Comm_spawn, and wait for it.
void start_alone()
{
    if (launcher_of_environment().name.empty())
    {
        set_if_unset("OMPI_MCA_ess_singleton_isolated", "1");
    }
}
}  // namespace

bool has_shared_memory()
{
    return ::access("/dev/shm", W_OK) == 0;
}

Session::Session(int& argc, char**& argv)
{
    do_without_shared_memory();
    start_alone();
    // The loader's thread makes no MPI call.
    int provided = 0;
    check_mpi(MPI_Init_thread(&argc, &argv, MPI_THREAD_SERIALIZED, &provided), "MPI_Init_thread");
    check_mpi(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
}

Session::~Session()
{
    MPI_Finalize();
}

std::string mpi_version()
{
    std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
    int length = 0;
    check_mpi(MPI_Get_library_version(text.data(), &length), "MPI_Get_library_version");
    const std::string version(text.data(), static_cast<std::size_t>(length));
    return version.substr(0, version.find_first_of(",\n"));
}
}  // namespace paws::ranks
