#pragma once

#include <c10/core/Device.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "src/comm/communicator.hpp"

namespace paws::comm
{
/// Called from a thread of its own when a call on the device will never end: what to do is up to the caller (see
/// Watch::fail), since the main thread may wait for the device.
using OnDeviceFailure = std::function<void(const std::string& message)>;

/// A communicator for tensors on this rank's `device` and in host memory: `host` itself where ranks compute on CPUs,
/// else one that calls NCCL (see make_nccl_communicator). Collective. Throws std::invalid_argument where this build has
/// no NCCL.
std::shared_ptr<Communicator> communicator_on_device(std::shared_ptr<Communicator> host, const c10::Device& device,
                                                     std::chrono::milliseconds deadline, OnDeviceFailure on_failure);
}  // namespace paws::comm
