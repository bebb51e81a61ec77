#pragma once

#include <torch/types.h>

#include <cstdint>
#include <string>
#include <utility>

// What this layer knows of CUDA devices stands here alone. A build without CUDA sees none.

namespace paws::device
{
/// Whether this program was built with CUDA.
bool is_built_for_gpus();

/// The GPUs that this process sees; they have the numbers from 0 on.
int gpu_count();

// Of one of them; std::invalid_argument where there is none of that number.

/// "NVIDIA H200, sm_90, 139 GiB".
std::string describe_gpu(int index);
/// Tells it apart from all other GPUs, on any node: its UUID.
std::string gpu_id(int index);
/// Compute capability: {7, 0} is sm_70, a V100.
std::pair<int, int> gpu_capability(int index);
std::int64_t gpu_bytes(int index);

/// Of the current GPU, for all processes.
std::int64_t free_gpu_bytes();

/// How GPUs compute float32, and how they choose their algorithms.
struct GpuArithmetic
{
    bool tf32 = true;            ///< products and convolutions may round their factors to 10 bits (sm_80 and newer)
    bool deterministic = false;  ///< the same bits every time; else cuDNN measures which algorithm is fastest
};

/// Makes it LibTorch's current device on this thread and settles its arithmetic. Comes before the first tensor there.
void use_gpu(int index, const GpuArithmetic& arithmetic = {});

/// "cpu", or describe_gpu.
std::string describe_device(const torch::Device& device);
}  // namespace paws::device
