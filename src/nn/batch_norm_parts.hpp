#pragma once

#include <torch/csrc/autograd/custom_function.h>
#include <vector>

#include "kernels/batch_norm.hpp"
#include "kernels/batch_norm/channels.hpp"
#include "src/device/tensor_view.hpp"
#include "src/nn/batch_norm.hpp"
#include "src/nn/batch_norm_observer.hpp"
#include "src/nn/blocked_images.hpp"

// The pieces that the autograd functions of batch normalisation are put together from, for sources that launch kernels.
// Functions of several layers make one reduction over ranks for all of them.

namespace paws::nn
{
namespace detail
{
template <class Stored>
struct Images
{
    /// Channels-last images [N, C, H, W]: a matrix [N·H·W, C].
    template <class Exec>
    static auto of(const Exec&, const torch::Tensor& images)
    {
        return device::TensorView<Stored, 2, Exec>(
            static_cast<Stored*>(images.data_ptr()),
            static_cast<std::size_t>(images.size(0) * images.size(2) * images.size(3)),
            static_cast<std::size_t>(images.size(1)));
    }
    template <class Run>
    static decltype(auto) where(const torch::Tensor& images, const Run& run)
    {
        return device::on_device_of(images, run);
    }
};

static_assert(kernels::block_channels == block_channels);

/// Images in blocks of channels [N, C / 16, H, W, 16], which are in host memory.
template <class T, class Value>
struct ImagesInBlocks
{
    static auto of(const device::HostExec&, const torch::Tensor& images)
    {
        return kernels::BlockedImages<T>{images.data_ptr<Value>(), images.size(0), images.size(2) * images.size(3),
                                         static_cast<int>(channels_of(images))};
    }
    template <class Run>
    static decltype(auto) where(const torch::Tensor&, const Run& run)
    {
        return run(device::HostExec());
    }
};
template <class T>
struct Images<kernels::InBlocks<T>> : ImagesInBlocks<T, T>
{
};
template <class T>
struct Images<const kernels::InBlocks<T>> : ImagesInBlocks<const T, T>
{
};
}  // namespace detail

/// Images in the order that in_order gives, as the kernels see them.
template <class Stored, class Exec>
auto matrix_of(const Exec& exec, const torch::Tensor& images)
{
    return detail::Images<Stored>::of(exec, images);
}

/// run(exec) with the execution space of images that are stored so.
template <class Stored, class Run>
decltype(auto) where_they_are(const torch::Tensor& images, const Run& run)
{
    return detail::Images<Stored>::where(images, run);
}

/// [N, C, H, W] channels-last; [N, C / 16, H, W, 16] without gaps.
torch::Tensor in_order(const torch::Tensor& images);

/// Space for the partial sums of a layer. Held by name in the callers: a kernel may still run when its launch returns.
torch::Tensor batch_norm_scratch(const torch::Tensor& x, const torch::TensorOptions& options);

/// A layer of images or of vectors.
struct BatchNormLayer
{
    template <class Impl>
    explicit BatchNormLayer(Impl& bn)
        : weight(bn.weight),
          bias(bn.bias),
          running_mean(bn.running_mean),
          running_var(bn.running_var),
          batches(bn.num_batches_tracked),
          settings{bn.options.eps(), bn.options.momentum().value()},
          training(bn.is_training()),
          ranks(bn.ranks)
    {
    }

    torch::Tensor weight, bias, running_mean, running_var, batches;
    kernels::BatchNormSettings settings;
    bool training;
    std::shared_ptr<comm::Communicator> ranks;
};

/// Refuses what the layer cannot normalise (std::invalid_argument that begins with `caller`), and counts the batch in
/// training.
void start_batch(const char* caller, const BatchNormLayer& layer, const torch::Tensor& x);

/// What normalises x: the values per channel that a forward pass hands to its backward pass.
struct Normalization
{
    torch::Tensor mean;
    torch::Tensor inverse;  ///< 1 / √(σ² + ε)
    torch::Tensor scale;    ///< γ / √(σ² + ε)
    torch::Tensor count;    ///< double, 0-dimensional: values a channel, of all ranks; of batch statistics alone
};

/// One layer and what goes through it.
struct LayerInput
{
    const BatchNormLayer& layer;
    const torch::Tensor& x;  ///< as in_order gives it
};

namespace detail
{
/// The reduction that the layers of a call have in common.
template <class Real, class Exec>
void merge_statistics(const Exec& exec, const std::vector<LayerInput>& inputs, std::vector<Normalization>& results,
                      const std::vector<torch::Tensor>& deviations)
{
    std::int64_t length = 0;
    for (const auto& result : results)
    {
        length += kernels::batch_norm_shared_values(result.mean.size(0));
    }
    const auto sums = torch::empty({length}, results.front().mean.options().dtype(torch::kFloat64));
    const auto for_each = [&](const auto& step)
    {
        std::int64_t begin = 0;
        for (std::size_t i = 0; i < inputs.size(); ++i)
        {
            const auto values = kernels::batch_norm_shared_values(results[i].mean.size(0));
            step(i, device::view_of<double, 1>(exec, sums.narrow(0, begin, values)),
                 device::view_of<Real, 1>(exec, inputs[i].layer.running_mean));
            begin += values;
        }
    };
    for_each(
        [&](std::size_t i, const auto& own, const auto& origin)
        {
            const auto& x = inputs[i].x;
            kernels::batch_norm_pack(exec, device::view_of<Real, 1>(exec, results[i].mean),
                                     device::view_of<Real, 1>(exec, deviations[i]),
                                     static_cast<double>(x.numel() / channels_of(x)), origin, own);
        });
    device::hand_over(exec);
    inputs.front().layer.ranks->all_reduce(sums);
    for_each(
        [&](std::size_t i, const auto& all, const auto& origin)
        {
            kernels::batch_norm_unpack(exec, all, origin, device::view_of<Real, 1>(exec, results[i].mean),
                                       device::view_of<Real, 1>(exec, deviations[i]),
                                       device::view_of<double, 0>(exec, results[i].count));
        });
    // The sums are gone when this returns; on a device their memory is only given to what comes later on its stream.
    device::hand_over(exec);
}
}  // namespace detail

/// What normalises the images of layers of one mode: in training the statistics of the batch, which then enter the
/// running ones, over all ranks of the layers by one reduction; else the running ones.
template <class Stored, class Real, class Exec>
std::vector<Normalization> normalizations_of(const Exec& exec, const std::vector<LayerInput>& inputs)
{
    std::vector<Normalization> results;
    std::vector<torch::Tensor> deviations, scratches;
    std::int64_t channels = 0, bytes = 0;
    for (const auto& [layer, x] : inputs)
    {
        if (!layer.training)
        {
            // A copy of the mean: a backward pass may come after the running one has moved on.
            const auto inverse = (layer.running_var + layer.settings.epsilon).rsqrt();
            results.push_back({layer.running_mean.clone(), inverse, inverse * layer.weight, {}});
            continue;
        }
        const auto options = layer.running_mean.options();
        const auto count = static_cast<double>(x.numel() / channels_of(x));
        results.push_back({torch::empty_like(layer.running_mean), torch::empty_like(layer.running_mean),
                           torch::empty_like(layer.running_mean),
                           torch::full({}, count, options.dtype(torch::kFloat64))});
        deviations.push_back(torch::empty_like(layer.running_mean));
        scratches.push_back(batch_norm_scratch(x, options));
        kernels::batch_norm_statistics(
            exec, matrix_of<const Stored>(exec, x), device::view_of<Real, 1>(exec, results.back().mean),
            device::view_of<Real, 1>(exec, deviations.back()), device::view_of<Real, 3>(exec, scratches.back()));
        channels += channels_of(x);
        bytes += statistics_bytes(channels_of(x));
    }
    if (!inputs.front().layer.training)
    {
        return results;
    }
    device::hand_over(exec);
    if (auto* const observer = BatchNormObserver::active)
    {
        observer->statistics_ready(results.front().mean.data_ptr(), channels, bytes);
    }
    if (!inputs.front().layer.ranks->is_alone())
    {
        detail::merge_statistics<Real>(exec, inputs, results, deviations);
    }
    for (std::size_t i = 0; i < inputs.size(); ++i)
    {
        const auto& layer = inputs[i].layer;
        const auto& [mean, inverse, scale, count] = results[i];
        kernels::batch_norm_finish(
            exec, device::view_of<Real, 1>(exec, mean), device::view_of<Real, 1>(exec, deviations[i]),
            device::view_of<const double, 0>(exec, count), layer.settings,
            device::view_of<const Real, 1>(exec, layer.weight), device::view_of<Real, 1>(exec, layer.running_mean),
            device::view_of<Real, 1>(exec, layer.running_var), device::view_of<Real, 1>(exec, inverse),
            device::view_of<Real, 1>(exec, scale));
    }
    device::hand_over(exec);
    return results;
}

/// What a forward pass hands to its backward pass beside tensors.
struct BatchNormCall : torch::CustomClassHolder
{
    BatchNormCall(const BatchNormLayer& layer, bool relu_) : training(layer.training), relu(relu_), ranks(layer.ranks)
    {
    }
    bool training;
    bool relu;
    std::shared_ptr<comm::Communicator> ranks;
};

void keep_call(torch::autograd::AutogradContext* context, const BatchNormLayer& layer, bool relu);
c10::intrusive_ptr<BatchNormCall> kept_call(torch::autograd::AutogradContext* context);

/// One layer in the backward pass.
struct LayerGradient
{
    const torch::Tensor& x;     ///< as in_order gives it
    const torch::Tensor& bias;  ///< [C]
    const Normalization& normalization;
};

/// Gradients of layers of one call.
struct InputGradients
{
    std::vector<torch::Tensor> x;       ///< of each layer
    std::vector<torch::Tensor> weight;  ///< likewise, of this rank
};

/// From g, of the shape of the images, the gradient behind the ReLU where `relu`, and from this rank's sums over it,
/// [layers, 2, C]: Σ g and Σ g (x − mean). One reduction for all layers. `addend`, where it is defined, is another
/// gradient of the first layer's images, and is added to it.
template <class Stored, class Real, class Exec>
InputGradients gradients_of_inputs(const Exec& exec, const std::vector<LayerGradient>& layers, const torch::Tensor& g,
                                   const torch::Tensor& own_sums, const BatchNormCall& call, bool relu,
                                   const torch::Tensor& addend = {})
{
    auto sums = own_sums;
    if (call.training)
    {
        if (auto* const observer = BatchNormObserver::active)
        {
            observer->sums_ready(layers.front().normalization.mean.data_ptr(),
                                 static_cast<std::int64_t>(own_sums.nbytes()));
        }
        if (!call.ranks->is_alone())
        {
            sums = own_sums.clone();
            call.ranks->all_reduce(sums);
        }
    }
    InputGradients gradients;
    std::vector<torch::Tensor> factors;  // of the kernels that may still run
    for (std::size_t i = 0; i < layers.size(); ++i)
    {
        const auto& [x, bias, normalization] = layers[i];
        const auto index = static_cast<std::int64_t>(i);
        const auto& [mean, inverse, scale, count] = normalization;
        const auto slope = torch::empty_like(scale);
        const auto offset = torch::empty_like(scale);
        gradients.weight.push_back(torch::empty_like(scale));
        gradients.x.push_back(torch::empty_like(x));
        const auto values = call.training ? count : torch::ones({}, scale.options().dtype(torch::kFloat64));
        kernels::batch_norm_gradients(
            exec, device::view_of<const Real, 2>(exec, own_sums[index]),
            device::view_of<const Real, 2>(exec, sums[index]), device::view_of<const Real, 1>(exec, inverse),
            device::view_of<const double, 0>(exec, values), !call.training, device::view_of<Real, 1>(exec, slope),
            device::view_of<Real, 1>(exec, offset), device::view_of<Real, 1>(exec, gradients.weight.back()));
        const auto of_channels = [&](const torch::Tensor& values_)
        { return device::view_of<const Real, 1>(exec, values_); };
        const auto grad_x = matrix_of<Stored>(exec, gradients.x.back());
        if (i == 0 && addend.defined())
        {
            kernels::batch_norm_backward_apply_add(
                exec, matrix_of<const Stored>(exec, x), matrix_of<const Stored>(exec, g), of_channels(mean),
                of_channels(scale), of_channels(bias), of_channels(slope), of_channels(offset), relu,
                matrix_of<const Stored>(exec, addend), grad_x);
        }
        else
        {
            kernels::batch_norm_backward_apply(exec, matrix_of<const Stored>(exec, x), matrix_of<const Stored>(exec, g),
                                               of_channels(mean), of_channels(scale), of_channels(bias),
                                               of_channels(slope), of_channels(offset), relu, grad_x);
        }
        factors.insert(factors.end(), {slope, offset, values});
    }
    device::hand_over(exec);
    return gradients;
}

/// run(a value of the type that kernels know x's elements by).
template <class Run>
auto with_storage_type(const torch::Tensor& x, const Run& run)
{
    if (is_in_blocks(x))
    {
        return run(kernels::InBlocks<float>{});
    }
    switch (x.scalar_type())
    {
        case torch::kFloat64:
            return run(double{});
        case torch::kBFloat16:
            return run(kernels::bfloat16{});
        case torch::kFloat16:
            return run(kernels::float16{});
        default:
            return run(float{});
    }
}
}  // namespace paws::nn
