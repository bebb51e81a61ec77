#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <vector>

namespace paws::comm
{
/// Calls ready(i) when the gradient of parameter i has been accumulated, in each backward pass as long as it lives.
/// Hooks of the accumulators, not of the tensors: a gradient that a tensor's hook has seen is copied when it is
/// accumulated.
class GradientHooks
{
public:
    GradientHooks() = default;
    GradientHooks(const std::vector<at::Tensor>& parameters, std::function<void(std::size_t)> ready);

private:
    using Ready = std::function<void(std::size_t)>;
    class Hook;

    std::shared_ptr<const Ready> ready_;
    /// A parameter holds its accumulator weakly; ours keep it, and with it the hook.
    std::vector<std::shared_ptr<torch::autograd::Node>> accumulators_;
};
}  // namespace paws::comm
