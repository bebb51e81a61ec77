#pragma once

// What differs between the LibTorch versions that we build with (1.13 to 2.x) stands here and nowhere else.

#include <torch/version.h>

#include <cstddef>
#include <cstdint>

namespace paws::nn
{
/// The type of the totals that the allocator reports.
#if TORCH_VERSION_MAJOR >= 2
using AllocatorTotal = std::size_t;
#else
using AllocatorTotal = std::int64_t;
#endif
}  // namespace paws::nn
