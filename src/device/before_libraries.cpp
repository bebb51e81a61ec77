// Linked into every program that computes (see paws_core): its .preinit_array runs before the constructors of OpenBLAS
// and OpenMP, which read the environment there and never again.

#include <unistd.h>

#include "src/device/library_variables.hpp"

namespace
{
/// Zero from the start: no constructor touches it after it has been used.
constinit paws::device::LentVariables lent;

extern "C" void lend_variables_to_libraries(int, char**, char** variables)
{
    lent.lend(variables, paws::device::library_variables(paws::device::this_processor(), variables));
}

/// A program's own constructors run after those of its libraries. From here on the environment is the user's.
[[gnu::constructor(101)]] void take_variables_back()
{
    lent.give_back(environ);
}

[[gnu::section(".preinit_array"), gnu::used]] void (*const entry)(int, char**, char**) = &lend_variables_to_libraries;
}  // namespace
