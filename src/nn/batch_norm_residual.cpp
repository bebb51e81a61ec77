#include <stdexcept>

#include "src/nn/batch_norm_parts.hpp"
#include "src/nn/batch_norm_relu.hpp"

// The end of a residual block. The ReLU's mask is taken from y, as LibTorch's ReLU does; y is kept by the layers behind
// it anyway.

namespace paws::nn
{
namespace
{
using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

/// relu(bn(x) + shortcut).
template <class Stored, class Real = typename kernels::Compute<Stored>::type>
class BatchNormAddFunction : public torch::autograd::Function<BatchNormAddFunction<Stored, Real>>
{
public:
    static torch::Tensor forward(AutogradContext* context, const torch::Tensor& images, const torch::Tensor& shortcut,
                                 const torch::Tensor& weight, const torch::Tensor& bias, const BatchNormLayer& layer)
    {
        static_cast<void>(weight);  // known from the layer; an argument so that it gets its gradient
        const auto x = in_order(images);
        const auto addend = in_order(shortcut);
        return where_they_are<Stored>(
            x, [&](const auto& exec) { return forward_on(exec, context, x, addend, bias, layer); });
    }

    static tensor_list backward(AutogradContext* context, tensor_list grads)
    {
        return where_they_are<Stored>(grads[0], [&](const auto& exec) { return backward_on(exec, context, grads[0]); });
    }

    template <class Exec>
    static torch::Tensor forward_on(const Exec& exec, AutogradContext* context, const torch::Tensor& x,
                                    const torch::Tensor& addend, const torch::Tensor& bias, const BatchNormLayer& layer)
    {
        const auto normalization = normalizations_of<Stored, Real>(exec, {{layer, x}}).front();
        const auto& [mean, inverse, scale, count] = normalization;
        auto y = torch::empty_like(x);
        kernels::batch_norm_add_relu_apply(
            exec, matrix_of<const Stored>(exec, x), device::view_of<const Real, 1>(exec, mean),
            device::view_of<const Real, 1>(exec, scale), device::view_of<const Real, 1>(exec, bias),
            matrix_of<const Stored>(exec, addend), matrix_of<Stored>(exec, y));
        device::hand_over(exec);
        context->save_for_backward({x, mean, inverse, scale, count, bias, y});
        keep_call(context, layer, true);
        return y;
    }

    template <class Exec>
    static tensor_list backward_on(const Exec& exec, AutogradContext* context, const torch::Tensor& grad)
    {
        const auto saved = context->get_saved_variables();
        const auto& x = saved[0];
        const auto& bias = saved[5];
        const auto& y = saved[6];
        const auto call = kept_call(context);
        const Normalization normalization{saved[1], saved[2], saved[3], saved[4]};
        const auto grad_y = in_order(grad);
        auto grad_shortcut = torch::empty_like(x);
        const auto sums = torch::empty({1, 2, bias.size(0)}, bias.options());
        const auto scratch = batch_norm_scratch(x, bias.options());
        kernels::batch_norm_add_relu_backward_sums(
            exec, matrix_of<const Stored>(exec, x), matrix_of<const Stored>(exec, grad_y),
            matrix_of<const Stored>(exec, y), device::view_of<const Real, 1>(exec, normalization.mean),
            matrix_of<Stored>(exec, grad_shortcut), device::view_of<Real, 1>(exec, sums[0][0]),
            device::view_of<Real, 1>(exec, sums[0][1]), device::view_of<Real, 3>(exec, scratch));
        device::hand_over(exec);
        const auto gradients =
            gradients_of_inputs<Stored, Real>(exec, {{x, bias, normalization}}, grad_shortcut, sums, *call, false);
        return {gradients.x.front(), grad_shortcut, gradients.weight.front(), sums[0][0], {}};
    }
};

/// relu(bn(x) + shortcut_bn(shortcut)), both of one mode and of the same ranks.
template <class Stored, class Real = typename kernels::Compute<Stored>::type>
class BatchNormPairFunction : public torch::autograd::Function<BatchNormPairFunction<Stored, Real>>
{
public:
    static torch::Tensor forward(AutogradContext* context, const torch::Tensor& images, const torch::Tensor& shortcut,
                                 const torch::Tensor& weight, const torch::Tensor& bias,
                                 const torch::Tensor& shortcut_weight, const torch::Tensor& shortcut_bias,
                                 const BatchNormLayer& layer, const BatchNormLayer& shortcut_layer)
    {
        static_cast<void>(weight);
        static_cast<void>(shortcut_weight);
        const auto x = in_order(images);
        const auto other = in_order(shortcut);
        return where_they_are<Stored>(
            x,
            [&](const auto& exec) {
                return forward_on(exec, context, {layer, x}, {shortcut_layer, other}, bias, shortcut_bias);
            });
    }

    static tensor_list backward(AutogradContext* context, tensor_list grads)
    {
        return where_they_are<Stored>(grads[0], [&](const auto& exec) { return backward_on(exec, context, grads[0]); });
    }

    template <class Exec>
    static torch::Tensor forward_on(const Exec& exec, AutogradContext* context, const LayerInput& input,
                                    const LayerInput& other, const torch::Tensor& bias, const torch::Tensor& other_bias)
    {
        const auto normalizations = normalizations_of<Stored, Real>(exec, {input, other});
        const auto channels_of = [&](const Normalization& normalization, const torch::Tensor& of_bias)
        {
            return kernels::BatchNormChannels<device::TensorView<const Real, 1, Exec>>{
                device::view_of<const Real, 1>(exec, normalization.mean),
                device::view_of<const Real, 1>(exec, normalization.scale),
                device::view_of<const Real, 1>(exec, of_bias)};
        };
        const auto &first = normalizations[0], &second = normalizations[1];
        auto y = torch::empty_like(input.x);
        kernels::batch_norm_pair_relu_apply(exec, matrix_of<const Stored>(exec, input.x), channels_of(first, bias),
                                            matrix_of<const Stored>(exec, other.x), channels_of(second, other_bias),
                                            matrix_of<Stored>(exec, y));
        device::hand_over(exec);
        context->save_for_backward({input.x, first.mean, first.inverse, first.scale, first.count, bias, other.x,
                                    second.mean, second.inverse, second.scale, second.count, other_bias, y});
        keep_call(context, input.layer, true);
        return y;
    }

    template <class Exec>
    static tensor_list backward_on(const Exec& exec, AutogradContext* context, const torch::Tensor& grad)
    {
        const auto saved = context->get_saved_variables();
        const auto &x = saved[0], &bias = saved[5], &other = saved[6], &other_bias = saved[11], &y = saved[12];
        const auto call = kept_call(context);
        const Normalization first{saved[1], saved[2], saved[3], saved[4]};
        const Normalization second{saved[7], saved[8], saved[9], saved[10]};
        const auto grad_y = in_order(grad);
        const auto g = torch::empty_like(x);
        const auto sums = torch::empty({2, 2, bias.size(0)}, bias.options());
        const auto scratch = batch_norm_scratch(x, bias.options());
        const auto other_scratch = batch_norm_scratch(other, bias.options());
        kernels::batch_norm_add_relu_backward_sums(
            exec, matrix_of<const Stored>(exec, x), matrix_of<const Stored>(exec, grad_y),
            matrix_of<const Stored>(exec, y), device::view_of<const Real, 1>(exec, first.mean),
            matrix_of<Stored>(exec, g), device::view_of<Real, 1>(exec, sums[0][0]),
            device::view_of<Real, 1>(exec, sums[0][1]), device::view_of<Real, 3>(exec, scratch));
        kernels::batch_norm_backward_sums(
            exec, matrix_of<const Stored>(exec, other), matrix_of<const Stored>(exec, g),
            device::view_of<const Real, 1>(exec, second.mean), device::view_of<const Real, 1>(exec, second.scale),
            device::view_of<const Real, 1>(exec, other_bias), false, device::view_of<Real, 1>(exec, sums[1][0]),
            device::view_of<Real, 1>(exec, sums[1][1]), device::view_of<Real, 3>(exec, other_scratch));
        device::hand_over(exec);
        const auto gradients = gradients_of_inputs<Stored, Real>(exec, {{x, bias, first}, {other, other_bias, second}},
                                                                 g, sums, *call, false);
        return {
            gradients.x[0], gradients.x[1], gradients.weight[0], sums[0][0], gradients.weight[1], sums[1][0], {}, {}};
    }
};

void require_shape(const char* caller, const torch::Tensor& shortcut, const torch::Tensor& x)
{
    if (shortcut.sizes() != x.sizes())
    {
        throw std::invalid_argument(std::string(caller) + ": the shortcut must have the shape of the images");
    }
}
}  // namespace

torch::Tensor fused_batch_norm_add_relu(BatchNorm2dImpl& bn, const torch::Tensor& x, const torch::Tensor& shortcut)
{
    require_shape("fused_batch_norm_add_relu", shortcut, x);
    const BatchNormLayer layer(bn);
    start_batch("fused_batch_norm_add_relu", layer, x);
    const auto addend = shortcut.to(x.scalar_type());
    return with_storage_type(
        x, [&](auto stored)
        { return BatchNormAddFunction<decltype(stored)>::apply(x, addend, layer.weight, layer.bias, layer); });
}

torch::Tensor fused_batch_norm_pair_relu(BatchNorm2dImpl& bn, const torch::Tensor& x, BatchNorm2dImpl& shortcut_bn,
                                         const torch::Tensor& shortcut)
{
    constexpr auto caller = "fused_batch_norm_pair_relu";
    require_shape(caller, shortcut, x);
    const BatchNormLayer layer(bn), shortcut_layer(shortcut_bn);
    if (layer.training != shortcut_layer.training)
    {
        throw std::invalid_argument("fused_batch_norm_pair_relu: one layer is in training and the other is not");
    }
    start_batch(caller, layer, x);
    start_batch(caller, shortcut_layer, shortcut);
    const auto other = shortcut.to(x.scalar_type());
    return with_storage_type(x,
                             [&](auto stored)
                             {
                                 return BatchNormPairFunction<decltype(stored)>::apply(
                                     x, other, layer.weight, layer.bias, shortcut_layer.weight, shortcut_layer.bias,
                                     layer, shortcut_layer);
                             });
}
}  // namespace paws::nn
