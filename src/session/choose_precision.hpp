#pragma once

#include <torch/types.h>

#include <string>
#include <utility>

#include "src/config/config.hpp"
#include "src/device/precision.hpp"
#include "src/device/processor.hpp"

namespace paws::session
{
/// What a device can compute in.
struct DeviceTraits
{
    bool is_gpu = false;
    device::Processor processor;       ///< of a CPU
    std::pair<int, int> capability{};  ///< of a GPU
    std::string description;           ///< of a GPU, for messages
};

/// What a processor trains fastest in, of float32 and bf16, and why.
struct FastPrecision
{
    device::Precision precision = device::Precision::fp32;
    const char* reason = "";  ///< "bf16 is slower on this processor, ..."
};

/// From a table of what was measured, by make and instruction sets alone: a run and its resume agree, whatever else
/// the machine does.
FastPrecision fast_precision(const device::Processor& processor);

/// The arithmetic that the configuration asks for on such a device. Throws config::Error for bf16 on GPUs that lack it
/// (before sm_80), and for fp16 on CPUs.
device::Precision precision_on(const DeviceTraits& device, const config::Meta& meta);

/// The same for a device of this machine.
device::Precision choose_precision(const config::Meta& meta, const torch::Device& device);

/// A line of the table at the start of a run on a CPU: its arithmetic, and what decided; empty on a GPU.
std::string describe_precision(const DeviceTraits& device, const config::Meta& meta);
std::string describe_precision(const config::Meta& meta, const torch::Device& device);
}  // namespace paws::session
