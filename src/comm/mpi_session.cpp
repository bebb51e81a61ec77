#include "src/comm/mpi_session.hpp"

#include <fmt/format.h>
#include <mpi.h>

#include <array>

namespace paws::comm
{
namespace
{
void check(int code, const char* call)
{
    if (code != MPI_SUCCESS)
    {
        std::array<char, MPI_MAX_ERROR_STRING> text{};
        int length = 0;
        MPI_Error_string(code, text.data(), &length);
        throw Error(fmt::format("{} failed: {}", call, std::string(text.data(), static_cast<std::size_t>(length))));
    }
}
}  // namespace

MpiSession::MpiSession(int& argc, char**& argv)
{
    // The loader's thread makes no MPI call.
    int provided = 0;
    check(MPI_Init_thread(&argc, &argv, MPI_THREAD_SERIALIZED, &provided), "MPI_Init_thread");
    check(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    check(MPI_Comm_rank(MPI_COMM_WORLD, &rank_), "MPI_Comm_rank");
    check(MPI_Comm_size(MPI_COMM_WORLD, &world_size_), "MPI_Comm_size");
}

MpiSession::~MpiSession()
{
    MPI_Finalize();
}

std::string mpi_version()
{
    std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
    int length = 0;
    check(MPI_Get_library_version(text.data(), &length), "MPI_Get_library_version");
    const std::string version(text.data(), static_cast<std::size_t>(length));
    return version.substr(0, version.find_first_of(",\n"));
}
}  // namespace paws::comm
