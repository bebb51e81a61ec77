#include "src/tasks/gpu_memory.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace paws::tasks
{
namespace
{
/// CUDA's context, the work space of cuDNN and cuBLAS, NCCL's buffers.
constexpr std::int64_t of_libraries = std::int64_t{1} << 30;
}  // namespace

std::string describe_fit(std::int64_t expected, const std::vector<GpuMemory>& gpus, const std::string& remedy)
{
    const auto large_enough = std::find_if(gpus.begin(), gpus.end(),
                                           [&](const GpuMemory& gpu) { return expected + of_libraries <= gpu.bytes; });
    if (large_enough == gpus.begin())
    {
        return fmt::format("fits {}", gpus.front().name);
    }
    return large_enough == gpus.end()
               ? fmt::format("does not fit {}: {}", gpus.back().name, remedy)
               : fmt::format("does not fit {}, but {}: {}", gpus.front().name, large_enough->name, remedy);
}
}  // namespace paws::tasks
