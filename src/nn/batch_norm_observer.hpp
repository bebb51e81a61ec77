#pragma once

#include <cstdint>

namespace paws::nn
{
/// What ranks send of the statistics of a layer: two sums a channel and the number of values, in double.
inline std::int64_t statistics_bytes(std::int64_t channels)
{
    return (2 * channels + 1) * static_cast<std::int64_t>(sizeof(double));
}

/// Is told when a batch norm in training has what the ranks add up: the points of a step where they wait for each
/// other. A layer that LibTorch's operators compute, on one rank, says so when its pass is over, backward when it
/// begins: what ranks add up is known at some time in between.
class BatchNormObserver
{
public:
    virtual ~BatchNormObserver() = default;
    /// Forward. `call`: what its backward pass will name. bytes: of the sums that a rank sends.
    virtual void statistics_ready(const void* call, std::int64_t channels, std::int64_t bytes) = 0;
    /// Backward, possibly in a thread of autograd's.
    virtual void sums_ready(const void* call, std::int64_t bytes) = 0;

    /// Active observer, or null. Set between steps.
    static inline BatchNormObserver* active = nullptr;
};
}  // namespace paws::nn
