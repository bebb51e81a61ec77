#pragma once

#include <array>
#include <cstddef>
#include <tuple>

#include "src/device/processor.hpp"

// What libraries are told through the environment before they are set up, since they listen at no other time. Nothing
// here takes memory or needs a library: it is for a program's .preinit_array (see before_libraries.cpp).

namespace paws::device
{
/// The kernels that OpenBLAS is to take on such a processor, as OPENBLAS_CORETYPE names them; null: its own choice.
/// OpenBLAS knows processors by their model numbers, and takes the kernels of 2004 for Intel's that are newer than
/// itself (0.3.21, Debian's, on a Xeon of 2023: 55 instead of 290 GFLOP/s on two cores). Those of SkylakeX want no more
/// than AVX-512, and are what OpenBLAS itself takes since 0.3.22 for AMD's with AVX-512 too.
const char* blas_kernel_for(const Processor& processor) noexcept;

/// Variables that a library finds in the environment while it is set up, "NAME=VALUE" each; null where there are fewer.
using LibraryVariables = std::array<const char*, 2>;

/// Those that a program which computes on such a processor sets, as far as `variables` (a vector of "NAME=VALUE" that
/// ends with a null pointer) leave them open: OpenBLAS' kernels, and how long OpenMP's threads spin while they wait.
LibraryVariables library_variables(const Processor& processor, const char* const* variables) noexcept;

/// Entries of an environment that stand in the place of others. The C library takes the environment from the stack,
/// whatever was set before: at that time nothing can be added to it, only replaced.
class LentVariables
{
public:
    /// Puts each of `wanted` in the place of a variable that no library reads while it is set up (PWD, SHLVL, ...), as
    /// long as there are such; gives how many have found a place.
    std::size_t lend(char** variables, const LibraryVariables& wanted) noexcept;

    /// Puts back what was there, in the vector that lend() has changed and in `variables`, a copy of it perhaps.
    void give_back(char** variables) noexcept;

private:
    struct Place
    {
        char** at = nullptr;
        char* was = nullptr;
        char* is = nullptr;
    };
    std::array<Place, std::tuple_size_v<LibraryVariables>> places_{};
    std::size_t count_ = 0;
};
}  // namespace paws::device
