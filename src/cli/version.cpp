#include "src/cli/version.hpp"

#include <fmt/format.h>
#include <hdf5.h>
#include <torch/cuda.h>
#include <torch/types.h>
#include <torch/version.h>

#include <Kokkos_Core.hpp>

#include "io/ranks/session.hpp"
#include "src/device/blas_kernel.hpp"
#include "src/device/processor.hpp"

namespace paws::cli
{
std::string version_text()
{
    std::string backends = "Serial";
#ifdef KOKKOS_ENABLE_OPENMP
    backends += ", OpenMP";
#endif
#ifdef KOKKOS_ENABLE_CUDA
    backends += ", CUDA";
#endif
    return fmt::format(
        "paws_hpc {}\n"
        "LibTorch {} (CUDA: {}), bf16 on this CPU: {}\n"
        "BLAS: {}; instruction sets: {}\n"
        "Kokkos {}.{}.{} ({})\n"
        "{}\n"
        "HDF5 {}.{}.{}, parallel: {}\n"
        "C++ {}",
        PAWS_VERSION, TORCH_VERSION, torch::cuda::is_available() ? "yes" : "no",
        device::this_processor().avx512_bf16 ? "yes" : "no", device::describe_blas(device::blas_library()),
        device::describe_instruction_sets(device::this_processor()), KOKKOS_VERSION / 10000, KOKKOS_VERSION / 100 % 100,
        KOKKOS_VERSION % 100, backends, ranks::mpi_version(), H5_VERS_MAJOR, H5_VERS_MINOR, H5_VERS_RELEASE,
#ifdef H5_HAVE_PARALLEL
        "yes",
#else
        "no",
#endif
        __cplusplus);
}

std::string version_identity()
{
    return fmt::format("paws_hpc {} with LibTorch {}", PAWS_VERSION, TORCH_VERSION_MAJOR);
}
}  // namespace paws::cli
