#pragma once

// What differs between the LibTorch versions that we build with (1.13 to 2.x) stands here and nowhere else.

#include <ATen/autocast_mode.h>
#include <torch/version.h>

#include <cstddef>
#include <cstdint>

/// Whether LibTorch is of this version or newer, for the preprocessor.
#define PAWS_TORCH_AT_LEAST(major, minor) \
    (TORCH_VERSION_MAJOR > (major) || (TORCH_VERSION_MAJOR == (major) && TORCH_VERSION_MINOR >= (minor)))

namespace paws::device
{
/// The type of the totals that the allocator reports.
#if PAWS_TORCH_AT_LEAST(2, 0)
using AllocatorTotal = std::size_t;
#else
using AllocatorTotal = std::int64_t;
#endif

/// Switches autocast on or off for operators on one kind of device, CPU or CUDA.
inline void set_autocast(at::DeviceType device, bool enabled)
{
#if PAWS_TORCH_AT_LEAST(2, 4)
    at::autocast::set_autocast_enabled(device, enabled);
#else
    (device == at::kCUDA ? at::autocast::set_enabled : at::autocast::set_cpu_enabled)(enabled);
#endif
}

/// Whether operators in host memory are under autocast.
inline bool cpu_autocast_is_on()
{
#if PAWS_TORCH_AT_LEAST(2, 4)
    return at::autocast::is_autocast_enabled(at::kCPU);
#else
    return at::autocast::is_cpu_enabled();
#endif
}

/// The type that autocast computes in there.
inline void set_autocast_type(at::DeviceType device, at::ScalarType type)
{
#if PAWS_TORCH_AT_LEAST(2, 4)
    at::autocast::set_autocast_dtype(device, type);
#else
    (device == at::kCUDA ? at::autocast::set_autocast_gpu_dtype : at::autocast::set_autocast_cpu_dtype)(type);
#endif
}
}  // namespace paws::device
