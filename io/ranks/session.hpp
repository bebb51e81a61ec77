#pragma once

#include <string>

namespace paws::ranks
{
/// MPI from construction to destruction; one per process.
class Session
{
public:
    /// Throws CallError.
    Session(int& argc, char**& argv);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
};

/// Whether this process can make shared memory and named semaphores (/dev/shm), with which MPI joins the ranks of a
/// node.
bool has_shared_memory();

/// Name and version of the MPI library, one line.
std::string mpi_version();
}  // namespace paws::ranks
