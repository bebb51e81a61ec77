#pragma once

#include <torch/types.h>

#include "src/config/config.hpp"

namespace paws::device
{
/// What convolutions and linear layers compute in; parameters, statistics and the loss stay float32 (or float64). Here
/// it is never `automatic`, and fp16 wants its loss scaled (optim::LossScaler).
using config::Precision;

/// The element type of parameters and images.
torch::ScalarType storage_type(Precision precision);

/// Switches LibTorch's autocast for operators on `device` on for a scope, as bf16 and fp16 ask; for other precisions it
/// does nothing. On a CPU fp16 computes in float32: LibTorch 1.13 has no half-precision convolutions there.
class AutocastScope
{
public:
    explicit AutocastScope(Precision precision, torch::Device device = torch::kCPU);
    ~AutocastScope();
    AutocastScope(const AutocastScope&) = delete;
    AutocastScope& operator=(const AutocastScope&) = delete;

private:
    torch::DeviceType device_;
    bool active_;
};
}  // namespace paws::device
