#pragma once

#include <cstdint>

#include "src/config/config.hpp"
#include "src/data/rank_share.hpp"
#include "src/device/precision.hpp"
#include "src/nn/encoder.hpp"

namespace paws::session
{
/// Bytes that a PAWS training step holds at its peak.
struct MemoryEstimate
{
    std::int64_t weights = 0;      ///< parameters, gradients, momentum
    std::int64_t activations = 0;  ///< what the backward pass keeps
    std::int64_t total() const { return weights + activations; }
};

/// Measured, not guessed: two small batches go through the network with LibTorch's allocator watched, and the growth
/// from one to the other is scaled to the configured batch. Leaves weights and statistics of a copy of the network
/// behind, not of `encoder`.
/// `share`: the ranks that this process emulates.
MemoryEstimate estimate_memory(const config::Config& config, device::Precision precision,
                               const data::RankShare& share = {});
}  // namespace paws::session
