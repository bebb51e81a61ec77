#include "src/session/gpu_memory.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace paws::session
{
namespace
{
/// CUDA's context, the work space of cuDNN and cuBLAS, NCCL's buffers.
constexpr std::int64_t of_libraries = std::int64_t{1} << 30;

/// By how much a step may take less than was measured on the CPU.
constexpr double tolerance = 0.1;
}  // namespace

std::string describe_fit(std::int64_t expected, const std::vector<GpuMemory>& gpus, const std::string& remedy)
{
    const auto large_enough = std::find_if(gpus.begin(), gpus.end(),
                                           [&](const GpuMemory& gpu) { return expected + of_libraries <= gpu.bytes; });
    if (large_enough == gpus.begin())
    {
        return fmt::format("fits {}", gpus.front().name);
    }
    const bool none = large_enough == gpus.end();
    const auto& missed = none ? gpus.back() : gpus.front();
    const auto least = static_cast<double>(expected) * (1 - tolerance) + of_libraries;
    return fmt::format("{} {}{}: {}", least > static_cast<double>(missed.bytes) ? "does not fit" : "may not fit",
                       missed.name, none ? "" : fmt::format(" (it fits {})", large_enough->name), remedy);
}
}  // namespace paws::session
