#pragma once

#include <stdexcept>

namespace paws::ranks
{
/// A call of a message-passing library that failed, or that other ranks did not answer in time; the message quotes the
/// call and says what the library says. It may well follow from another rank's failure.
struct CallError : std::runtime_error
{
    using std::runtime_error::runtime_error;
};

/// Throws CallError, quoting `call` and what MPI says, unless `code` is success. Only a communicator whose errors
/// return (see MPI_ERRORS_RETURN) comes here with anything else.
void check_mpi(int code, const char* call);
}  // namespace paws::ranks
