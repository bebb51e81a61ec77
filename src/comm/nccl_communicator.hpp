#pragma once

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

/// Ranks with a CUDA device each: tensors on the device go through NCCL, tensors in host memory through `host`, by
/// which the ranks also agree on NCCL's id. Collective; the current device is this rank's.
///
/// One discipline of streams: a call is enqueued on LibTorch's current stream and returns at once, so that what comes
/// later on that stream sees its result; calls of start_all_reduce go on a stream of their own, which waits for the
/// current one, and Pending::wait() lets the current stream wait for them. The host waits for nothing.
///
/// NCCL's asynchronous errors, and calls that have not ended `deadline` after they were enqueued, are found by a
/// thread, which aborts the communicator and calls `on_failure`.
std::shared_ptr<Communicator> make_nccl_communicator(std::shared_ptr<Communicator> host,
                                                     std::chrono::milliseconds deadline, OnDeviceFailure on_failure);
}  // namespace paws::comm
