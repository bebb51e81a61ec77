#include "tests/support/catch_runner.hpp"

// Catch2's own code, which its header holds.
#define CATCH_CONFIG_RUNNER
#include "tests/support/catch.hpp"

namespace paws::test
{
int run_tests(int argc, char** argv)
{
    return Catch::Session().run(argc, argv);
}
}  // namespace paws::test
