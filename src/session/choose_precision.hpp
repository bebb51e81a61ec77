#pragma once

#include <torch/torch.h>

#include <string>
#include <utility>

#include "src/config/config.hpp"
#include "src/device/precision.hpp"

namespace paws::session
{
/// What a device can compute in.
struct DeviceTraits
{
    bool is_gpu = false;
    bool cpu_has_bf16 = false;         ///< of a CPU
    std::pair<int, int> capability{};  ///< of a GPU
    std::string description;           ///< of a GPU, for messages
};

/// The arithmetic that the configuration asks for on such a device. Throws config::Error for bf16 on GPUs that lack it
/// (before sm_80), and for fp16 on CPUs.
device::Precision precision_on(const DeviceTraits& device, const config::Meta& meta);

/// The same for a device of this machine.
device::Precision choose_precision(const config::Meta& meta, const torch::Device& device);
}  // namespace paws::session
