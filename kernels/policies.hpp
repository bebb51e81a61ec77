#pragma once

#include <Kokkos_Core.hpp>

#include <cstdint>
#include <string>
#include <type_traits>

namespace paws::kernels
{
/// Views that a kernel may take on `Exec`: of the wanted rank and reachable from there.
template <class Exec, class View, int Rank>
constexpr void check_view()
{
    static_assert(Kokkos::is_view<View>::value, "kernels take Kokkos Views");
    static_assert(static_cast<int>(View::rank) == Rank, "this View has another rank than the kernel documents");
    static_assert(Kokkos::SpaceAccessibility<Exec, typename View::memory_space>::accessible,
                  "this View cannot be reached from the execution space");
}

template <class Exec>
inline constexpr bool runs_on_host = std::is_same_v<typename Exec::memory_space, Kokkos::HostSpace>;

/// One team a row. A host core takes a row alone; on a device a block of threads shares it.
template <class Exec>
Kokkos::TeamPolicy<Exec> row_policy(const Exec& exec, std::int64_t rows)
{
    if constexpr (runs_on_host<Exec>)
    {
        return Kokkos::TeamPolicy<Exec>(exec, static_cast<int>(rows), 1);
    }
    else
    {
        return Kokkos::TeamPolicy<Exec>(exec, static_cast<int>(rows), 128);
    }
}
}  // namespace paws::kernels
