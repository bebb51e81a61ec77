#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace paws::session
{
/// A kind of GPU, with its memory.
struct GpuMemory
{
    std::string name;  ///< "a V100 of 16 GiB"
    std::int64_t bytes = 0;
};

/// Whether `expected` bytes of tensors, and what CUDA and its libraries take beside them, fit: "fits a V100 of 16 GiB",
/// or which one they do not fit, or may not, which of the larger ones they do, and the remedy. `gpus`: one or more, the
/// smallest first.
std::string describe_fit(std::int64_t expected, const std::vector<GpuMemory>& gpus, const std::string& remedy);
}  // namespace paws::session
