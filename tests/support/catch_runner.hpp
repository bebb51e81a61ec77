#pragma once

namespace paws::test
{
/// Runs the tests that the command line asks for; the number of those that failed, or another number for a bad command
/// line.
int run_tests(int argc, char** argv);
}  // namespace paws::test
