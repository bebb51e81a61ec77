#include "src/optim/lars_sgd.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "kernels/lars_sgd.hpp"
#include "src/device/tensor_view.hpp"

namespace paws::optim
{
namespace
{
std::int64_t chunks_of(std::int64_t size)
{
    return (size + kernels::chunk_elements - 1) / kernels::chunk_elements;
}

torch::Tensor bytes(std::int64_t count, const torch::TensorOptions& options)
{
    return torch::empty({count}, options.dtype(torch::kUInt8));
}

template <class Row>
torch::Tensor bytes_of(const std::vector<Row>& rows)
{
    const auto all = bytes(static_cast<std::int64_t>(rows.size() * sizeof(Row)), torch::kCPU);
    std::memcpy(all.data_ptr(), rows.data(), rows.size() * sizeof(Row));
    return all;
}

/// Puts the bytes at the beginning of `table`. Pinned memory is copied from without waiting, and LibTorch keeps it from
/// others until that is done.
void upload_to(const torch::Tensor& table, const torch::Tensor& host)
{
    table.narrow(0, 0, host.numel()).copy_(table.is_cuda() ? host.pin_memory() : host, true);
}

/// The first `count` rows of what lies in `table`.
template <class Row, class Exec>
auto rows_in(const Exec&, const torch::Tensor& table, std::int64_t count)
{
    return Kokkos::View<Row*, typename Exec::memory_space, Kokkos::MemoryTraits<Kokkos::Unmanaged>>(
        static_cast<Row*>(table.data_ptr()), static_cast<std::size_t>(count));
}
}  // namespace

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
    const auto& first = parameters_.front().second;
    std::int64_t chunks = 0;
    for (const auto& [name, parameter] : parameters_)
    {
        if (parameter.scalar_type() != first.scalar_type())
        {
            throw std::invalid_argument("LarsSgd: parameter " + name + " has another element type than the first one");
        }
        if (parameter.device() != first.device())
        {
            throw std::invalid_argument("LarsSgd: parameter " + name + " lies on another device than the first one");
        }
        momentum_.emplace_back(name, torch::zeros_like(parameter));
        chunks += chunks_of(parameter.numel());
    }
    const auto doubles = torch::dtype(torch::kFloat64).device(first.device());
    rate_and_scale_ = torch::ones({2}, doubles);
    square_sums_ = torch::empty({chunks, 2}, doubles);
    rates_ = torch::empty({static_cast<std::int64_t>(parameters_.size()), 2}, doubles);
    overflowed_ = torch::zeros({}, doubles.dtype(torch::kInt32));
}

void LarsSgd::zero_grad()
{
    for (auto& [name, parameter] : parameters_)
    {
        parameter.mutable_grad() = torch::Tensor();
    }
}

torch::Tensor LarsSgd::update(double learning_rate, const torch::Tensor& loss_scale)
{
    set_learning_rate(learning_rate);
    return apply(loss_scale);
}

void LarsSgd::set_learning_rate(double learning_rate)
{
    rate_and_scale_.select(0, 0).fill_(learning_rate);
}

bool LarsSgd::step(double learning_rate, double loss_scale)
{
    const auto scale = loss_scale == 1 ? torch::Tensor() : torch::full({}, loss_scale, rate_and_scale_.options());
    return update(learning_rate, scale).item<std::int32_t>() == 0;
}

torch::Tensor LarsSgd::apply(const torch::Tensor& loss_scale)
{
    const torch::NoGradGuard no_gradient;
    if (loss_scale.defined())
    {
        rate_and_scale_.select(0, 1).copy_(loss_scale);
    }
    else if (is_scaled_)
    {
        rate_and_scale_.select(0, 1).fill_(1);
    }
    is_scaled_ = loss_scale.defined();
    parameters_.front().second.scalar_type() == torch::kFloat64 ? apply_typed<double>() : apply_typed<float>();
    return overflowed_;
}

void LarsSgd::begin_capture()
{
    // Memory from outside of the graph's, since it is written to from outside.
    captured_.push_back(parameters_.front().second.scalar_type() == torch::kFloat64 ? empty_tables<double>()
                                                                                    : empty_tables<float>());
    is_capturing_ = true;
}

void LarsSgd::end_capture()
{
    is_capturing_ = false;
    if (captured_.back().host_slices.defined())
    {
        upload(captured_.back());
    }
}

template <class Scalar>
void LarsSgd::apply_typed()
{
    auto& tables = is_capturing_ ? captured_.back() : tables_;
    std::vector<torch::Tensor> gradients;  // keeps rearranged copies alive until the kernel has run
    std::vector<const void*> addresses;
    for (std::size_t i = 0; i < parameters_.size(); ++i)
    {
        const auto& parameter = parameters_[i].second;
        gradients.push_back(parameter.grad());
        auto& gradient = gradients.back();
        // The three arrays are walked as flat memory, so the gradient must lie like its parameter (channels-last, say).
        if (gradient.defined() && gradient.strides() != parameter.strides())
        {
            gradient = torch::empty_like(parameter).copy_(gradient);
        }
        addresses.insert(addresses.end(), {parameter.data_ptr(), momentum_[i].second.data_ptr(),
                                           gradient.defined() ? gradient.data_ptr() : nullptr});
    }
    if (addresses != tables.addresses)
    {
        if (!tables.slices.defined())
        {
            tables = empty_tables<Scalar>();
        }
        tables.addresses = std::move(addresses);
        fill<Scalar>(tables, gradients);
        if (!is_capturing_)
        {
            upload(tables);
        }
    }
    device::on_device_of(
        square_sums_,
        [&](const auto& exec)
        {
            kernels::lars_sgd(exec, rows_in<kernels::ParameterSlice<Scalar>>(exec, tables.slices, tables.slice_count),
                              rows_in<kernels::ParameterChunk>(exec, tables.chunks, tables.chunk_count),
                              {options_.momentum, options_.nesterov, options_.trust_coefficient},
                              device::view_of<double, 1>(exec, rate_and_scale_),
                              device::view_of<double, 2>(exec, square_sums_), device::view_of<double, 2>(exec, rates_),
                              device::view_of<std::int32_t, 0>(exec, overflowed_));
            device::hand_over(exec);
        });
}

template <class Scalar>
LarsSgd::Tables LarsSgd::empty_tables() const
{
    const auto options = torch::device(square_sums_.device());
    Tables tables;
    tables.slices = bytes(rates_.size(0) * static_cast<std::int64_t>(sizeof(kernels::ParameterSlice<Scalar>)), options);
    tables.chunks = bytes(square_sums_.size(0) * static_cast<std::int64_t>(sizeof(kernels::ParameterChunk)), options);
    return tables;
}

template <class Scalar>
void LarsSgd::fill(Tables& tables, const std::vector<torch::Tensor>& gradients) const
{
    std::vector<kernels::ParameterSlice<Scalar>> slices;
    std::vector<kernels::ParameterChunk> chunks;
    for (std::size_t i = 0; i < parameters_.size(); ++i)
    {
        const auto& [name, parameter] = parameters_[i];
        if (!gradients[i].defined())
        {
            continue;
        }
        const bool excluded = excluded_from_adaptation(name);
        const auto size = parameter.numel();
        const auto first = static_cast<std::int32_t>(chunks.size());
        for (std::int64_t begin = 0; begin < size; begin += kernels::chunk_elements)
        {
            chunks.push_back(
                {static_cast<std::int32_t>(slices.size()), begin, std::min(size, begin + kernels::chunk_elements)});
        }
        slices.push_back({parameter.template data_ptr<Scalar>(), gradients[i].template data_ptr<Scalar>(),
                          momentum_[i].second.template data_ptr<Scalar>(), size, first,
                          static_cast<std::int32_t>(chunks.size()) - first, excluded ? 0 : options_.weight_decay,
                          options_.lars && !excluded});
    }
    tables.slice_count = static_cast<std::int64_t>(slices.size());
    tables.chunk_count = static_cast<std::int64_t>(chunks.size());
    tables.host_slices = bytes_of(slices);
    tables.host_chunks = bytes_of(chunks);
}

void LarsSgd::upload(Tables& tables)
{
    upload_to(tables.slices, tables.host_slices);
    upload_to(tables.chunks, tables.host_chunks);
    tables.host_slices = tables.host_chunks = torch::Tensor();
}
}  // namespace paws::optim
