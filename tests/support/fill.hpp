#pragma once

#include <torch/types.h>

#include <cmath>
#include <string>

#include "src/nn/encoder.hpp"

namespace paws::test
{
inline bool ends_with(const std::string& name, const std::string& ending)
{
    return name.size() >= ending.size() && name.compare(name.size() - ending.size(), ending.size(), ending) == 0;
}

/// The deterministic fill of the golden files (see their README): every value is a function of its position in the
/// state dict.
inline void deterministic_fill(const nn::Encoder& encoder, double fill_seed)
{
    const torch::NoGradGuard no_gradient;
    double entry = 0;
    for (auto& [name, tensor] : nn::state_dict(encoder))
    {
        // By LibTorch's operators, each rounded on its own: a compiler may fuse products and sums, which shows in the
        // last digits of the sine of a large number.
        const auto s =
            torch::sin(
                torch::arange(tensor.numel(), torch::kFloat64).mul_(0.37).add_(1.3 * entry).add_(0.01 * fill_seed))
                .reshape(tensor.sizes());
        const auto fan = tensor.dim() > 1 ? static_cast<double>(tensor.numel() / tensor.size(0)) : 1.0;
        const auto values = ends_with(name, "running_var")    ? s * 0.3 + 1
                            : ends_with(name, "running_mean") ? s * 0.1
                            : tensor.dim() > 1                ? s * std::sqrt(2 / fan)
                            : ends_with(name, "weight")       ? s * 0.2 + 1
                                                              : s * 0.05;
        auto target = tensor;
        if (ends_with(name, "num_batches_tracked"))
        {
            target.zero_();
        }
        else
        {
            target.copy_(values.to(torch::kFloat32));
        }
        ++entry;
    }
}
}  // namespace paws::test
