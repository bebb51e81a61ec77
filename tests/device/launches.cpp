#include "tests/support/launch_places.hpp"

// Kernels run beside the tensors that they work on: in host memory, on the default host space.
const bool paws::test::launches_on_default_host = true;
