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

using NamedTensors = std::vector<std::pair<std::string, torch::Tensor>>;

/// The parameters of `module` that require a gradient, in its order and under its names.
NamedTensors trainable_parameters(const torch::nn::Module& module);

/// SGD under LARS (arXiv 1708.03888) over all parameters of a network at once (see kernels/lars_sgd.hpp).
/// Parameters are float32 or float64 (all of one type), in host memory.
class LarsSgd
{
public:
    using NamedTensors = optim::NamedTensors;

    /// Throws std::invalid_argument where there are no parameters, or of more than one type.
    LarsSgd(NamedTensors parameters, const LarsSgdOptions& options);

    /// Trains trainable_parameters(module).
    LarsSgd(const torch::nn::Module& module, const LarsSgdOptions& options);

    /// Updates every parameter that has a gradient, which is first multiplied by `inverse_scale`: one over the factor
    /// that the loss was scaled by. Returns whether it did so: a gradient with an infinity or a NaN in it (or one so
    /// large that its norm is infinite) leaves all parameters and momenta as they were, and the result is false.
    bool step(double learning_rate, double inverse_scale = 1);

    void zero_grad();

    /// One buffer a parameter, under its name; zeros before the first step. They share memory with the optimiser.
    const NamedTensors& momentum() const { return momentum_; }

private:
    template <class Scalar>
    bool step_typed(double learning_rate, double inverse_scale);

    NamedTensors parameters_;
    NamedTensors momentum_;
    LarsSgdOptions options_;
    torch::Tensor square_sums_;  ///< double [chunks, 2], scratch of the kernel
    torch::Tensor rates_;        ///< double [parameters, 2], likewise
};
}  // namespace paws::optim
