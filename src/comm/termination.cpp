#include "src/comm/termination.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace paws::comm
{
namespace
{
/// What a handler may know is what is global.
std::array<int, 2> pipe_ends{-1, -1};

extern "C" void note_termination(int)
{
    const int before = errno;
    const char byte = 1;
    static_cast<void>(!write(pipe_ends[1], &byte, 1));
    errno = before;
}
}  // namespace

Termination::Termination()
{
    struct sigaction current
    {
    };
    if (pipe2(pipe_ends.data(), O_CLOEXEC | O_NONBLOCK) != 0 || sigaction(SIGTERM, nullptr, &current) != 0 ||
        current.sa_handler != SIG_DFL)
    {
        return;
    }
    struct sigaction ours
    {
    };
    ours.sa_handler = &note_termination;
    ours.sa_flags = SA_RESTART;
    installed_ = sigaction(SIGTERM, &ours, nullptr) == 0;
}

Termination::~Termination()
{
    if (installed_)
    {
        signal(SIGTERM, SIG_DFL);
    }
    for (int& end : pipe_ends)
    {
        close(end);
        end = -1;
    }
}

int Termination::number() const
{
    return pipe_ends[0];
}
}  // namespace paws::comm
