#pragma once

#include <torch/types.h>

#include <Kokkos_Core.hpp>

// Where our kernels run: beside the tensors that they work on. Only sources after LAUNCHES (src/CMakeLists.txt) may
// include this header, since a Kokkos with CUDA wants its own compiler.

namespace paws::device
{
/// The execution space that works on tensors in host memory.
using HostExec = Kokkos::DefaultHostExecutionSpace;

#ifdef KOKKOS_ENABLE_CUDA
using CudaExec = Kokkos::Cuda;

/// LibTorch's current stream on the current device: kernels launched there and LibTorch's own operators follow each
/// other without anybody waiting.
CudaExec cuda_exec();
#endif

/// Calls run(exec) with the execution space of `tensor`, by whose type `run` is compiled for either; all tensors of a
/// call lie on one device. Throws std::invalid_argument for a device that this build has no kernels for.
template <class Run>
decltype(auto) on_device_of(const torch::Tensor& tensor, const Run& run)
{
#ifdef KOKKOS_ENABLE_CUDA
    if (tensor.is_cuda())
    {
        return run(cuda_exec());
    }
#endif
    if (!tensor.device().is_cpu())
    {
        throw std::invalid_argument("this build has no kernels for tensors on " + tensor.device().str());
    }
    return run(HostExec());
}

/// What comes next reads the kernels' results: LibTorch's operators, or other kernels of ours on the host. On a device
/// they are on the same stream, and nobody waits.
template <class Exec>
void hand_over(const Exec& exec)
{
    if constexpr (std::is_same_v<Exec, HostExec>)
    {
        exec.fence();
    }
}
}  // namespace paws::device
