#pragma once

#include <torch/types.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "io/hdf5/h5.hpp"

namespace paws::test
{
/// A numeric data set as a tensor of doubles.
inline torch::Tensor read_tensor(const io::h5::Group& group, const std::string& path)
{
    const auto dataset = group.dataset(path);
    const auto values = dataset.read<double>();
    const std::vector<std::int64_t> shape(dataset.shape().begin(), dataset.shape().end());
    return torch::tensor(values, torch::kFloat64).reshape(shape);
}

/// ‖a − b‖ / ‖b‖ in double; infinite when either holds a NaN, so that no comparison passes by accident.
inline double relative_error(const torch::Tensor& a, const torch::Tensor& b)
{
    const auto left = a.detach().cpu().to(torch::kFloat64).flatten();
    const auto right = b.detach().cpu().to(torch::kFloat64).flatten();
    if (left.numel() != right.numel() || left.isnan().any().item<bool>() || right.isnan().any().item<bool>())
    {
        return std::numeric_limits<double>::infinity();
    }
    const auto scale = right.norm().item<double>();
    const auto distance = (left - right).norm().item<double>();
    return scale > 0 ? distance / scale : distance;
}

inline constexpr double double_tolerance = 1e-9;
inline constexpr double float_tolerance = 2e-5;

/// x with every element moved up or down by its last bit, more or less: what another order of summation does to it.
inline torch::Tensor with_rounding_noise(const torch::Tensor& x)
{
    const auto sign = torch::sin(torch::arange(x.numel(), x.options().dtype(torch::kFloat64))).sign().view_as(x);
    return x * (1 + std::numeric_limits<double>::epsilon() * sign);
}

/// How far `ours` may be from a golden number in double: 1e-9, unless the computation itself magnifies rounding, as
/// ResNet-50 with batch statistics over a handful of values does (some 10⁸ times); then ten times the distance to its
/// `twin`, the same computation on input with rounding noise. Which sums round how depends on the vendor library's
/// kernels for the processor at hand.
inline double golden_tolerance(const torch::Tensor& ours, const torch::Tensor& twin)
{
    return std::max(double_tolerance, 10 * relative_error(twin, ours));
}
}  // namespace paws::test
