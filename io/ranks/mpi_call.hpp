#pragma once

#include <mpi.h>

#include <array>
#include <stdexcept>
#include <string>

namespace paws::io
{
/// Throws, quoting `call` and what MPI says, unless `code` is success. Only a communicator whose errors return (see
/// MPI_ERRORS_RETURN) comes here with anything else.
inline void check_mpi(int code, const char* call)
{
    if (code != MPI_SUCCESS)
    {
        std::array<char, MPI_MAX_ERROR_STRING> text{};
        int length = 0;
        MPI_Error_string(code, text.data(), &length);
        throw std::runtime_error(std::string(call) +
                                 " failed: " + std::string(text.data(), static_cast<std::size_t>(length)));
    }
}
}  // namespace paws::io
