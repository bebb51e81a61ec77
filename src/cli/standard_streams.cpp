#include "src/cli/standard_streams.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <stdexcept>
#include <system_error>

namespace paws::cli
{
void require_printed()
{
    // std::cout keeps nothing back: it prints through stdout.
    const bool failed_before = std::ferror(stdout) != 0;
    errno = 0;
    bool fails = std::fflush(stdout) != 0;
    // Some file systems say only here that there was no room.
    const int copy = fails ? -1 : ::dup(STDOUT_FILENO);
    fails = fails || (copy >= 0 && ::close(copy) != 0);
    if (fails || failed_before)
    {
        throw std::runtime_error("stdout: not all of the output could be written" +
                                 (fails && errno != 0 ? " (" + std::generic_category().message(errno) + ")" : "") +
                                 "; check that there is space where it goes, and that its reader is still there");
    }
}
}  // namespace paws::cli
