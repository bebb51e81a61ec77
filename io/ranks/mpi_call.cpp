#include "io/ranks/mpi_call.hpp"

#include <mpi.h>

#include <array>
#include <string>

namespace paws::ranks
{
void check_mpi(int code, const char* call)
{
    if (code != MPI_SUCCESS)
    {
        std::array<char, MPI_MAX_ERROR_STRING> text{};
        int length = 0;
        MPI_Error_string(code, text.data(), &length);
        throw CallError(std::string(call) + " failed: " + std::string(text.data(), static_cast<std::size_t>(length)));
    }
}
}  // namespace paws::ranks
