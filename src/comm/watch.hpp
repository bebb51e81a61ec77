#pragma once

#include <chrono>
#include <memory>

#include "src/comm/communicator.hpp"
#include "src/comm/failure.hpp"

namespace paws::comm
{
/// Sees to it that all ranks end, soon and with one line, when one of them cannot go on. A thread of each rank holds a
/// TCP connection to rank 0, without any MPI, so that it works while the main thread sits in a collective call that
/// will never end. A closed connection means that a process has died; one without a sign of life for the deadline, that
/// it is stopped or out of reach. Rank 0 then prints the line, "paws_hpc: rank 3 on node17: what happened", tells the
/// others, and every process ends with the same exit code, without its temporary files (see
/// io::exit_without_temporaries). If rank 0 itself is gone, the lowest living rank does so. SIGTERM is one of the
/// causes, unless the program has a handler of its own.
class Watch
{
public:
    /// Collective. `timeout`: the deadline. Rank 0 warns on stderr if ranks cannot reach it: these are not watched, and
    /// stay with the communicator's own deadline.
    Watch(Communicator& communicator, std::chrono::milliseconds timeout);
    /// This rank is done, and so are all others: comes after a barrier. It may die from now on.
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    void set_timeout(std::chrono::milliseconds timeout);

    /// This rank cannot go on: all end. From any thread.
    [[noreturn]] void fail(const Failure& failure);

private:
    class Thread;

    int rank_;
    std::unique_ptr<Thread> thread_;  ///< none on a rank that is not watched
};
}  // namespace paws::comm
