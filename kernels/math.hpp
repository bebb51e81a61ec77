#pragma once

#include <Kokkos_Core.hpp>

namespace paws::kernels
{
/// Kokkos' mathematical functions, callable in kernels, where this version of Kokkos keeps them.
#if KOKKOS_VERSION < 30700
namespace math = Kokkos::Experimental;
#else
namespace math = Kokkos;
#endif
}  // namespace paws::kernels
