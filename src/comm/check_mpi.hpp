#pragma once

#include "io/ranks/mpi_call.hpp"
#include "src/comm/error.hpp"

namespace paws::comm
{
/// io::check_mpi, with this layer's kind of error.
inline void check_mpi(int code, const char* call)
{
    try
    {
        io::check_mpi(code, call);
    }
    catch (const std::runtime_error& error)
    {
        throw Error(error.what());
    }
}
}  // namespace paws::comm
