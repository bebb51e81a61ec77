#pragma once

#include <Kokkos_Core.hpp>

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/support/launch_places.hpp"

// Every launch of a test is looked at: it has a label of ours and runs where the test says, never on whatever is
// Kokkos' default. LibTorch's stream on a GPU depends on it.

namespace paws::test
{
/// From now on a launch that is complained about fails the test that makes it. Does nothing where Kokkos' default is a
/// device: newer versions of Kokkos wait around a kernel for the sake of a listener, which a stream that is being
/// captured must not.
void check_launches();

/// What is wrong with a launch on an instance of that number, as Kokkos Tools hand them over: its label does not begin
/// with "paws::" (Kokkos' own for filling and copying Views apart), or it runs elsewhere than on Kokkos::Serial and
/// what LaunchesOn names. Empty if nothing is.
std::string complaint_about_launch(std::string_view label, std::uint32_t instance);

/// Bits by the number of Kokkos' device type, for all threads.
extern std::atomic<std::uint32_t> places_of_launches;

/// While it lives, kernels may run on `Exec`. A kernel that ignores the space it is given shows in tests on
/// Kokkos::Serial, which is no default beside OpenMP.
template <class Exec>
class LaunchesOn
{
public:
    LaunchesOn()
        : before_(places_of_launches.fetch_or(
              1U << static_cast<std::uint32_t>(Kokkos::Tools::Experimental::DeviceTypeTraits<Exec>::id)))
    {
    }
    ~LaunchesOn() { places_of_launches = before_; }
    LaunchesOn(const LaunchesOn&) = delete;
    LaunchesOn& operator=(const LaunchesOn&) = delete;

private:
    std::uint32_t before_;
};
}  // namespace paws::test
