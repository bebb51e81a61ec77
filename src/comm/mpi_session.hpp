#pragma once

#include <string>

#include "src/comm/error.hpp"

namespace paws::comm
{
/// MPI from construction to destruction; one per process.
class MpiSession
{
public:
    /// Throws Error.
    MpiSession(int& argc, char**& argv);
    ~MpiSession();
    MpiSession(const MpiSession&) = delete;
    MpiSession& operator=(const MpiSession&) = delete;

    int rank() const { return rank_; }
    int world_size() const { return world_size_; }

private:
    int rank_ = 0;
    int world_size_ = 1;
};

/// Name and version of the MPI library, one line.
std::string mpi_version();
}  // namespace paws::comm
