#pragma once

#include <torch/types.h>

#include "src/config/config.hpp"
#include "src/device/precision.hpp"

namespace paws::session
{
/// Whether Winograd's algorithm computes 3×3 convolutions, as meta.convolution asks for: with `auto` where all is there
/// that it needs: float32, a CPU with AVX-512, a build with oneDNN 2 (`has_blocked`: the last two). Throws
/// config::Error where it is asked for by name and cannot be.
bool uses_winograd(const config::Meta& meta, device::Precision precision, bool on_cpu, bool has_blocked);

/// The same on this machine.
bool uses_winograd(const config::Meta& meta, device::Precision precision, const torch::Device& device);
}  // namespace paws::session
