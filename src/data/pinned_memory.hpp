#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "src/data/batch_plan.hpp"

namespace paws::data
{
/// Memory of the host for tensors that go to `device` with copies that nobody waits for: pinned where that is a GPU.
/// LibTorch takes such memory back when the last copy from it is over.
torch::TensorOptions staging_memory(torch::ScalarType type, torch::Device device);

/// The same tensor on a CPU; on a GPU a copy in the making on the current stream.
torch::Tensor send(const torch::Tensor& staged, torch::Device device);

/// int64 [n] on `device`, undefined for none.
torch::Tensor sent_values(const std::vector<std::int64_t>& values, torch::Device device);

/// Views in the making: float32 [count, size, size, 3] for each kind, uninitialised, in this memory.
std::vector<torch::Tensor> empty_views(const BatchPlan& plan, const torch::TensorOptions& memory);

/// The same values as a network takes them, [count, 3, size, size], channels-last.
torch::Tensor channels_last(const torch::Tensor& views);
}  // namespace paws::data
