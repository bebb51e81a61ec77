#pragma once

#include <torch/torch.h>

#include <string>
#include <utility>
#include <vector>

#include "kernels/lars_sgd.hpp"

namespace paws::optim
{
struct LarsSgdOptions
{
    double momentum = 0.9;
    double weight_decay = 1e-6;
    bool nesterov = false;
    bool lars = true;  ///< off: plain SGD, with weight decay for the same tensors
    double trust_coefficient = 0.001;
};

/// True for names with `bias` or `bn` in them: no weight decay and no layer-wise adaptation. As published, this leaves
/// batch norms inside `downsample` and `shortcut` out, whose names have numbers only.
bool excluded_from_adaptation(const std::string& name);

/// SGD under LARS (arXiv 1708.03888) over all parameters of a network, two launches a step (see kernels/lars_sgd.hpp).
/// Parameters are float32 or float64 (all of one type), in host memory.
class LarsSgd
{
public:
    using NamedTensors = std::vector<std::pair<std::string, torch::Tensor>>;

    LarsSgd(NamedTensors parameters, const LarsSgdOptions& options);

    /// Updates every parameter that has a gradient.
    void step(double learning_rate);

    void zero_grad();

    /// One buffer a parameter, under its name; zeros before the first step. They share memory with the optimiser.
    const NamedTensors& momentum() const { return momentum_; }

private:
    template <class Scalar>
    void step_typed(double learning_rate);

    NamedTensors parameters_;
    NamedTensors momentum_;
    LarsSgdOptions options_;
    torch::Tensor square_sums_;  ///< double [chunks, 2], scratch of the kernel
};
}  // namespace paws::optim
