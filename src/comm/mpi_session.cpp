#include "src/comm/mpi_session.hpp"

#include <mpi.h>

#include <array>

#include "src/comm/check_mpi.hpp"
#include "src/comm/last_words.hpp"
#include "src/comm/launcher.hpp"

namespace paws::comm
{
MpiSession::MpiSession(int& argc, char**& argv)
{
    {
        const LastWords words(words_if_mpi_does_not_start());
        // The loader's thread makes no MPI call.
        int provided = 0;
        check_mpi(MPI_Init_thread(&argc, &argv, MPI_THREAD_SERIALIZED, &provided), "MPI_Init_thread");
    }
    check_mpi(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    check_mpi(MPI_Comm_rank(MPI_COMM_WORLD, &rank_), "MPI_Comm_rank");
    check_mpi(MPI_Comm_size(MPI_COMM_WORLD, &world_size_), "MPI_Comm_size");
}

MpiSession::~MpiSession()
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
}  // namespace paws::comm
