#pragma once

#include <cstdint>

#include "src/comm/world.hpp"
#include "src/config/config.hpp"
#include "src/device/precision.hpp"

namespace paws::session
{
/// Before anything is computed: throws config::Error where limits on memory leave too little for `threads` threads,
/// however small the network is: libraries below would not end then, or in words of their own.
void require_memory_to_compute(std::int64_t threads, const comm::World& world);

/// Before a training on CPUs: throws config::Error where a step is expected to need more than limits on memory leave.
/// Measures the network where there are such limits, see session::estimate_memory.
void require_memory_to_train(const config::Config& config, device::Precision precision, const comm::World& world);
}  // namespace paws::session
