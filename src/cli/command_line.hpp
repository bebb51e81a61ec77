#pragma once

namespace paws::cli
{
/// Exit codes: 0 done, 2 bad input (nothing was changed), 1 anything else that failed.
enum ExitCode : int
{
    success = 0,
    failure = 1,
    bad_input = 2,
};

/// Everything that `main` does: reads the command line, runs the command, prints one line when it fails.
int run(int argc, char** argv);
}  // namespace paws::cli
