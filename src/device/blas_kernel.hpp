#pragma once

#include <string>

#include "src/device/processor.hpp"

namespace paws::device
{
/// The library that LibTorch's matrix products on CPUs go to.
struct BlasLibrary
{
    std::string name;    ///< "OpenBLAS", "MKL", "unknown"
    std::string kernel;  ///< of OpenBLAS, "SkylakeX"; empty where the library doesn't say
};

/// The one of this process.
BlasLibrary blas_library();

/// "OpenBLAS (SkylakeX)", "MKL", "neither OpenBLAS nor MKL".
std::string describe_blas(const BlasLibrary& library);

/// One line for the start of a run, with the remedy, where the library computes with less than the processor's
/// instruction set; else empty.
std::string note_on_slow_blas(const BlasLibrary& library, const Processor& processor);
}  // namespace paws::device
