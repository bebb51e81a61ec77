#include "src/comm/last_words.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace paws::comm
{
namespace
{
/// Of a forked process: nothing but system calls, since other threads may have held locks.
[[noreturn]] void wait_for_end(int pipe, const std::string& line)
{
    // What ends its parent by a signal to all processes of the job is not to take the words away.
    for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGXCPU, SIGUSR1, SIGUSR2, SIGPIPE})
    {
        signal(number, SIG_IGN);
    }
    char byte = 0;
    ssize_t got = 0;
    do
    {
        got = read(pipe, &byte, 1);
    } while (got < 0 && errno == EINTR);
    if (got == 0)
    {
        static_cast<void>(!write(STDERR_FILENO, line.data(), line.size()));
    }
    _exit(0);
}
}  // namespace

LastWords::LastWords(const std::string& line)
{
    std::array<int, 2> ends{-1, -1};
    if (line.empty() || pipe2(ends.data(), O_CLOEXEC) != 0)
    {
        return;
    }
    const auto text = line + "\n";
    process_ = fork();
    if (process_ == 0)
    {
        close(ends[1]);
        wait_for_end(ends[0], text);
    }
    close(ends[0]);
    pipe_ = ends[1];
}

LastWords::~LastWords()
{
    if (pipe_ < 0)
    {
        return;
    }
    const char all_is_well = 1;
    if (process_ > 0)
    {
        static_cast<void>(!write(pipe_, &all_is_well, 1));
        waitpid(process_, nullptr, 0);
    }
    close(pipe_);
}
}  // namespace paws::comm
