#include "src/optim/lars_sgd.hpp"

#include <algorithm>
#include <stdexcept>

#include "src/nn/tensor_view.hpp"

namespace paws::optim
{
bool excluded_from_adaptation(const std::string& name)
{
    return name.find("bias") != std::string::npos || name.find("bn") != std::string::npos;
}

NamedTensors trainable_parameters(const torch::nn::Module& module)
{
    NamedTensors parameters;
    for (const auto& item : module.named_parameters())
    {
        if (item.value().requires_grad())
        {
            parameters.emplace_back(item.key(), item.value());
        }
    }
    return parameters;
}

LarsSgd::LarsSgd(const torch::nn::Module& module, const LarsSgdOptions& options)
    : LarsSgd(trainable_parameters(module), options)
{
}

LarsSgd::LarsSgd(NamedTensors parameters, const LarsSgdOptions& options)
    : parameters_(std::move(parameters)), options_(options)
{
    if (parameters_.empty())
    {
        throw std::invalid_argument("LarsSgd: there are no parameters to train");
    }
    for (const auto& [name, parameter] : parameters_)
    {
        if (parameter.scalar_type() != parameters_.front().second.scalar_type())
        {
            throw std::invalid_argument("LarsSgd: parameter " + name + " has another element type than the first one");
        }
        momentum_.emplace_back(name, torch::zeros_like(parameter));
    }
}

void LarsSgd::zero_grad()
{
    for (auto& [name, parameter] : parameters_)
    {
        parameter.mutable_grad() = torch::Tensor();
    }
}

bool LarsSgd::step(double learning_rate, double inverse_scale)
{
    return parameters_.front().second.scalar_type() == torch::kFloat64
               ? step_typed<double>(learning_rate, inverse_scale)
               : step_typed<float>(learning_rate, inverse_scale);
}

template <class Scalar>
bool LarsSgd::step_typed(double learning_rate, double inverse_scale)
{
    std::vector<kernels::ParameterSlice<Scalar>> slices;
    std::vector<kernels::ParameterChunk> chunks;
    std::vector<torch::Tensor> gradients;  // keeps rearranged copies alive until the kernel has run
    for (std::size_t i = 0; i < parameters_.size(); ++i)
    {
        auto& [name, parameter] = parameters_[i];
        if (!parameter.grad().defined())
        {
            continue;
        }
        // The three arrays are walked as flat memory, so the gradient must lie like its parameter (channels-last, say).
        gradients.push_back(parameter.grad());
        if (gradients.back().strides() != parameter.strides())
        {
            gradients.back() = torch::empty_like(parameter).copy_(parameter.grad());
        }
        const bool excluded = excluded_from_adaptation(name);
        const auto size = parameter.numel();
        const auto first = static_cast<std::int32_t>(chunks.size());
        for (std::int64_t begin = 0; begin < size; begin += kernels::chunk_elements)
        {
            chunks.push_back(
                {static_cast<std::int32_t>(slices.size()), begin, std::min(size, begin + kernels::chunk_elements)});
        }
        slices.push_back({parameter.data_ptr<Scalar>(), gradients.back().data_ptr<Scalar>(),
                          momentum_[i].second.data_ptr<Scalar>(), size, first,
                          static_cast<std::int32_t>(chunks.size()) - first, excluded ? 0 : options_.weight_decay,
                          options_.lars && !excluded});
    }
    if (!square_sums_.defined() || square_sums_.size(0) < static_cast<std::int64_t>(chunks.size()))
    {
        square_sums_ = torch::empty({static_cast<std::int64_t>(chunks.size()), 2}, torch::kFloat64);
        rates_ = torch::empty({static_cast<std::int64_t>(parameters_.size()), 2}, torch::kFloat64);
    }
    using Unmanaged = Kokkos::MemoryTraits<Kokkos::Unmanaged>;
    const Kokkos::View<kernels::ParameterSlice<Scalar>*, Kokkos::HostSpace, Unmanaged> slice_view(slices.data(),
                                                                                                  slices.size());
    const Kokkos::View<kernels::ParameterChunk*, Kokkos::HostSpace, Unmanaged> chunk_view(chunks.data(), chunks.size());
    std::int32_t overflowed = 0;
    const nn::HostExec exec;
    kernels::lars_sgd(
        exec, slice_view, chunk_view,
        {learning_rate, options_.momentum, options_.nesterov, options_.trust_coefficient, 1e-8, inverse_scale},
        nn::view_of<double, 2>(square_sums_), nn::view_of<double, 2>(rates_),
        Kokkos::View<std::int32_t, Kokkos::HostSpace, Unmanaged>(&overflowed));
    exec.fence();
    return overflowed == 0;
}
}  // namespace paws::optim
