#pragma once

#include <c10/core/Device.h>

#include <chrono>
#include <memory>

#include "src/comm/communicator.hpp"
#include "src/comm/device_communicator.hpp"

namespace paws::comm
{
/// Ranks with a CUDA device each: tensors on the device go through NCCL, tensors in host memory through `host`, by
/// which the ranks also agree on NCCL's id. Made and destroyed by all ranks together.
///
/// One discipline of streams: a call is enqueued on LibTorch's current stream and returns at once, so that what comes
/// later on that stream sees its result; calls of start_all_reduce go on a stream of their own, which waits for the
/// current one, and Pending::wait() lets the current stream wait for them. The host waits for nothing, so that
/// seconds_waiting counts the calls on host memory alone. Calls come from one thread at a time.
///
/// Calls may be captured into a CUDA graph; those are not watched, since they end when the graph is replayed.
///
/// NCCL's asynchronous errors, and calls that have not ended `deadline` after they began, are found by a thread, which
/// calls `on_failure` and then aborts what is under way.
std::shared_ptr<Communicator> make_nccl_communicator(std::shared_ptr<Communicator> host, const c10::Device& device,
                                                     std::chrono::milliseconds deadline, OnDeviceFailure on_failure);
}  // namespace paws::comm
