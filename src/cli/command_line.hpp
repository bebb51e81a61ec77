#pragma once

namespace paws::cli
{
/// Everything that `main` does: reads the command line, runs the command on all ranks, prints one line when it fails.
/// Gives the exit code: see comm::ExitCode.
int run(int argc, char** argv);
}  // namespace paws::cli
