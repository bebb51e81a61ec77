#pragma once

#include <cstdint>

namespace paws::config
{
/// The most threads that a rank computes with: Kokkos' OpenMP backend has tables for so many.
inline constexpr std::int64_t most_threads = 512;
/// The most threads that a rank decodes and augments with: more do not read faster on any machine.
inline constexpr std::int64_t most_workers = 1024;
}  // namespace paws::config
