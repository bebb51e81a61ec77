#pragma once

#include <Kokkos_Core.hpp>
#include <string>

namespace paws::train
{
/// A named stretch of a training step, shown by Kokkos Tools and whatever profiler they feed.
class Phase
{
public:
    explicit Phase(const std::string& name) { Kokkos::Profiling::pushRegion("paws::train::" + name); }
    ~Phase() { Kokkos::Profiling::popRegion(); }
    Phase(const Phase&) = delete;
    Phase& operator=(const Phase&) = delete;
};
}  // namespace paws::train
