#include "src/device/device.hpp"

#include <fmt/format.h>

#include <stdexcept>

#ifdef PAWS_CUDA
#include <ATen/cuda/CUDAContext.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAFunctions.h>
#endif

namespace paws::device
{
#ifdef PAWS_CUDA
namespace
{
/// Read without making a context on the GPU, which would take memory there.
const cudaDeviceProp& properties(int index)
{
    if (index < 0 || index >= gpu_count())
    {
        throw std::invalid_argument(
            fmt::format("there is no GPU of number {}; this process sees {}", index, gpu_count()));
    }
    return *at::cuda::getDeviceProperties(static_cast<c10::DeviceIndex>(index));
}

void allow_tf32(bool allowed)
{
    // Later versions of LibTorch have another way to say this too, and refuse to go on where both are used.
    at::globalContext().setAllowTF32CuBLAS(allowed);
    at::globalContext().setAllowTF32CuDNN(allowed);
}
}  // namespace

bool is_built_for_gpus()
{
    return true;
}

int gpu_count()
{
    return c10::cuda::device_count();
}

std::string describe_gpu(int index)
{
    const auto& gpu = properties(index);
    return fmt::format("{}, sm_{}{}, {} GiB", gpu.name, gpu.major, gpu.minor, gpu.totalGlobalMem >> 30);
}

std::string gpu_id(int index)
{
    std::string id;
    for (const char byte : properties(index).uuid.bytes)
    {
        id += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    }
    return id;
}

std::pair<int, int> gpu_capability(int index)
{
    const auto& gpu = properties(index);
    return {gpu.major, gpu.minor};
}

std::int64_t gpu_bytes(int index)
{
    return static_cast<std::int64_t>(properties(index).totalGlobalMem);
}

std::int64_t free_gpu_bytes()
{
    std::size_t free = 0, total = 0;
    C10_CUDA_CHECK(cudaMemGetInfo(&free, &total));
    return static_cast<std::int64_t>(free);
}

void use_gpu(int index, const GpuArithmetic& arithmetic)
{
    static_cast<void>(properties(index));
    c10::cuda::set_device(static_cast<c10::DeviceIndex>(index));
    at::globalContext().setBenchmarkCuDNN(!arithmetic.deterministic);
    at::globalContext().setDeterministicCuDNN(arithmetic.deterministic);
    allow_tf32(arithmetic.tf32);
}
#else
namespace
{
[[noreturn]] void refuse()
{
    throw std::invalid_argument("this build of paws_hpc knows no GPUs; build it with CUDA");
}
}  // namespace

bool is_built_for_gpus()
{
    return false;
}

int gpu_count()
{
    return 0;
}

std::string describe_gpu(int)
{
    refuse();
}

std::string gpu_id(int)
{
    refuse();
}

std::pair<int, int> gpu_capability(int)
{
    refuse();
}

std::int64_t gpu_bytes(int)
{
    refuse();
}

std::int64_t free_gpu_bytes()
{
    refuse();
}

void use_gpu(int, const GpuArithmetic&)
{
    refuse();
}
#endif

std::string describe_device(const torch::Device& device)
{
    return device.is_cuda() ? describe_gpu(device.index()) : "cpu";
}
}  // namespace paws::device
