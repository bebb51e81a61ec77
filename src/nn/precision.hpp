#pragma once

#include <ATen/autocast_mode.h>
#include <torch/torch.h>

#include <string>

namespace paws::nn
{
/// What convolutions and linear layers compute in; parameters, statistics and the loss stay float32 (or float64).
enum class Precision
{
    fp32,
    fp64,
    bf16,
    fp16,
};

/// "fp32", "fp64", "bf16" or "fp16".
std::string to_string(Precision precision);

/// True where this CPU multiplies bfloat16 in hardware; elsewhere bf16 works but is slower than fp32.
bool cpu_has_bf16();

/// The element type of parameters and pictures.
torch::ScalarType storage_type(Precision precision);

/// Switches LibTorch's CPU autocast on for a scope, as bf16 asks; for other precisions it does nothing.
class AutocastScope
{
public:
    explicit AutocastScope(Precision precision);
    ~AutocastScope();
    AutocastScope(const AutocastScope&) = delete;
    AutocastScope& operator=(const AutocastScope&) = delete;

private:
    bool active_;
};
}  // namespace paws::nn
