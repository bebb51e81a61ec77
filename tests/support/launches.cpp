#include "tests/support/launches.hpp"

#include <initializer_list>
#include <mutex>
#include <type_traits>

#include "tests/support/catch.hpp"

namespace paws::test
{
namespace
{
template <class Exec>
constexpr std::uint32_t place_of =
    1U << static_cast<std::uint32_t>(Kokkos::Tools::Experimental::DeviceTypeTraits<Exec>::id);

void look_at(const char* label, std::uint32_t instance, std::uint64_t*)
{
    const std::string complaint = complaint_about_launch(label, instance);
    if (!complaint.empty())
    {
        static std::mutex one_at_a_time;
        const std::lock_guard lock(one_at_a_time);
        FAIL_CHECK(complaint);
    }
}
}  // namespace

constinit std::atomic<std::uint32_t> places_of_launches = place_of<Kokkos::Serial>;

std::string complaint_about_launch(std::string_view label, std::uint32_t instance)
{
    for (const auto* const of_kokkos : {"Kokkos::View::", "Kokkos::ViewFill", "Kokkos::ViewCopy"})
    {
        if (label.starts_with(of_kokkos))
        {
            return "";
        }
    }
    const std::string name(label);
    if (!label.starts_with("paws::"))
    {
        return "labels of launches begin with paws::, not so '" + name + "'";
    }
    // The upper bits of an instance's number are its device's type.
    if ((places_of_launches >> (instance >> 24) & 1U) == 0)
    {
        return "launched on another execution space than it was given, or the test does not say where it launches "
               "(tests/support/launches.hpp): " +
               name;
    }
    return "";
}

void check_launches()
{
    if constexpr (std::is_same_v<Kokkos::DefaultExecutionSpace, Kokkos::DefaultHostExecutionSpace>)
    {
        if (launches_on_default_host)
        {
            places_of_launches |= place_of<Kokkos::DefaultHostExecutionSpace>;
        }
        namespace tools = Kokkos::Tools::Experimental;
        tools::set_begin_parallel_for_callback(look_at);
        tools::set_begin_parallel_reduce_callback(look_at);
        tools::set_begin_parallel_scan_callback(look_at);
    }
}
}  // namespace paws::test
