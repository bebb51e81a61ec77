#pragma once

#include <torch/types.h>

#include <cstdint>

namespace paws::test
{
/// The gradient of value() → double by the elements of `input` (float64, contiguous), by central differences.
template <class Value>
torch::Tensor finite_differences(const torch::Tensor& input, const Value& value)
{
    const torch::NoGradGuard no_gradient;
    constexpr double step = 1e-5;
    const auto gradient = torch::empty_like(input);
    for (std::int64_t i = 0; i < input.numel(); ++i)
    {
        auto* const element = input.data_ptr<double>() + i;
        const double kept = *element;
        *element = kept + step;
        const double above = value();
        *element = kept - step;
        const double below = value();
        *element = kept;
        gradient.data_ptr<double>()[i] = (above - below) / (2 * step);
    }
    return gradient;
}
}  // namespace paws::test
