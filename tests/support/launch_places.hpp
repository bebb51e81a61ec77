#pragma once

namespace paws::test
{
/// Each executable of tests under Kokkos defines it: whether all its tests may launch on the default host space.
extern const bool launches_on_default_host;
}  // namespace paws::test
