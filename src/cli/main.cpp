#include <csignal>

#include "src/cli/before_main.hpp"
#include "src/cli/command_line.hpp"
#include "src/session/stop_signals.hpp"

int main(int argc, char** argv)
{
    // Whoever writes beyond the largest size of a file (ulimit -f) is told so by the write, and says which file it was.
    std::signal(SIGXFSZ, SIG_IGN);
    paws::session::hold_stop_signals();
    paws::cli::let_signals_through();
    return paws::cli::run(argc, argv);
}
