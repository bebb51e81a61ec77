#include "io/ranks/session.hpp"

#include <mpi.h>

#include <array>

#include "io/ranks/mpi_call.hpp"

namespace paws::ranks
{
Session::Session(int& argc, char**& argv)
{
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
