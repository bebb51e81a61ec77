#include "src/nn/batch_norm_relu.hpp"

#include <stdexcept>

#include "src/nn/batch_norm_parts.hpp"

namespace paws::nn
{
namespace
{
using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

/// Forward and backward for one storage type; per-channel values are `Real`. The layer itself comes for its running
/// statistics and options; weight and bias come as arguments, for their gradients.
template <class Stored, class Real = typename kernels::Compute<Stored>::type>
class BatchNormFunction : public torch::autograd::Function<BatchNormFunction<Stored, Real>>
{
public:
    static torch::Tensor forward(AutogradContext* context, const torch::Tensor& images, const torch::Tensor& weight,
                                 const torch::Tensor& bias, const BatchNormLayer& layer, bool relu)
    {
        static_cast<void>(weight);  // known from the layer; an argument so that it gets its gradient
        const auto x = in_order(images);
        return where_they_are<Stored>(
            x, [&](const auto& exec) { return forward_on(exec, context, x, bias, layer, relu); });
    }

    static tensor_list backward(AutogradContext* context, tensor_list grads)
    {
        return where_they_are<Stored>(grads[0], [&](const auto& exec) { return backward_on(exec, context, grads[0]); });
    }

    template <class Exec>
    static torch::Tensor forward_on(const Exec& exec, AutogradContext* context, const torch::Tensor& x,
                                    const torch::Tensor& bias, const BatchNormLayer& layer, bool relu)
    {
        const auto normalization = normalizations_of<Stored, Real>(exec, {{layer, x}}).front();
        const auto& [mean, inverse, scale, count] = normalization;
        auto y = torch::empty_like(x);
        kernels::batch_norm_apply(exec, matrix_of<const Stored>(exec, x), device::view_of<const Real, 1>(exec, mean),
                                  device::view_of<const Real, 1>(exec, scale),
                                  device::view_of<const Real, 1>(exec, bias), relu, matrix_of<Stored>(exec, y));
        device::hand_over(exec);
        context->save_for_backward({x, mean, inverse, scale, count, bias});
        keep_call(context, layer, relu);
        return y;
    }

    /// `addend`: another gradient of the images, or undefined.
    template <class Exec>
    static tensor_list backward_on(const Exec& exec, AutogradContext* context, const torch::Tensor& grad,
                                   const torch::Tensor& addend = {})
    {
        const auto saved = context->get_saved_variables();
        const auto& x = saved[0];
        const auto& bias = saved[5];
        const auto call = kept_call(context);
        const Normalization normalization{saved[1], saved[2], saved[3], saved[4]};
        const auto grad_y = in_order(grad);
        const auto sums = torch::empty({1, 2, bias.size(0)}, bias.options());
        const auto scratch = batch_norm_scratch(x, bias.options());
        kernels::batch_norm_backward_sums(
            exec, matrix_of<const Stored>(exec, x), matrix_of<const Stored>(exec, grad_y),
            device::view_of<const Real, 1>(exec, normalization.mean),
            device::view_of<const Real, 1>(exec, normalization.scale), device::view_of<const Real, 1>(exec, bias),
            call->relu, device::view_of<Real, 1>(exec, sums[0][0]), device::view_of<Real, 1>(exec, sums[0][1]),
            device::view_of<Real, 3>(exec, scratch));
        device::hand_over(exec);
        const auto gradients = gradients_of_inputs<Stored, Real>(exec, {{x, bias, normalization}}, grad_y, sums, *call,
                                                                 call->relu, addend);
        return {gradients.x.front(), gradients.weight.front(), sums[0][0], {}, {}};
    }
};

/// relu(bn(x)), and x for another way: the gradients of both enter x's in one pass.
template <class Stored, class Real = typename kernels::Compute<Stored>::type>
class BatchNormForkFunction : public torch::autograd::Function<BatchNormForkFunction<Stored, Real>>
{
    using OneWay = BatchNormFunction<Stored, Real>;

public:
    static tensor_list forward(AutogradContext* context, const torch::Tensor& images, const torch::Tensor& weight,
                               const torch::Tensor& bias, const BatchNormLayer& layer)
    {
        return {OneWay::forward(context, images, weight, bias, layer, true), images};
    }

    static tensor_list backward(AutogradContext* context, tensor_list grads)
    {
        const auto addend = in_order(grads[1]);
        auto gradients = where_they_are<Stored>(
            grads[0], [&](const auto& exec) { return OneWay::backward_on(exec, context, grads[0], addend); });
        gradients.pop_back();  // of an argument that this one has not
        return gradients;
    }
};

torch::Tensor normalise(const char* caller, const BatchNormLayer& layer, const torch::Tensor& x, bool relu)
{
    start_batch(caller, layer, x);
    return with_storage_type(
        x, [&](auto stored)
        { return BatchNormFunction<decltype(stored)>::apply(x, layer.weight, layer.bias, layer, relu); });
}

/// Whether LibTorch's own operators serve.
bool is_for_comparison(const BatchNorm2dImpl& bn, const torch::Tensor& x)
{
    return x.scalar_type() == torch::kFloat64 && bn.ranks->is_alone();
}
}  // namespace

torch::Tensor fused_batch_norm(BatchNorm2dImpl& bn, const torch::Tensor& x, bool relu)
{
    return normalise("fused_batch_norm", BatchNormLayer(bn), x, relu);
}

torch::Tensor fused_batch_norm_of_vectors(BatchNorm1dImpl& bn, const torch::Tensor& x)
{
    const BatchNormLayer layer(bn);
    return normalise("fused_batch_norm_of_vectors", layer, x.unsqueeze(-1).unsqueeze(-1), false).flatten(1);
}

Fork fused_batch_norm_relu_fork(BatchNorm2dImpl& bn, const torch::Tensor& x)
{
    const BatchNormLayer layer(bn);
    start_batch("fused_batch_norm_relu_fork", layer, x);
    const auto ways = with_storage_type(
        x, [&](auto stored)
        { return BatchNormForkFunction<decltype(stored)>::apply(x, layer.weight, layer.bias, layer); });
    return {ways[0], ways[1]};
}

Fork batch_norm_relu_fork(BatchNorm2dImpl& bn, const torch::Tensor& x)
{
    return is_for_comparison(bn, x) ? Fork{batch_norm_relu(bn, x), x} : fused_batch_norm_relu_fork(bn, x);
}

torch::Tensor batch_norm_relu(BatchNorm2dImpl& bn, const torch::Tensor& x)
{
    return is_for_comparison(bn, x) ? bn.forward_by_libtorch(x).relu_() : fused_batch_norm(bn, x, true);
}

torch::Tensor batch_norm(BatchNorm2dImpl& bn, const torch::Tensor& x)
{
    return is_for_comparison(bn, x) ? bn.forward_by_libtorch(x) : fused_batch_norm(bn, x, false);
}

torch::Tensor batch_norm_add_relu(BatchNorm2dImpl& bn, const torch::Tensor& x, const torch::Tensor& shortcut)
{
    return is_for_comparison(bn, x) ? bn.forward_by_libtorch(x).add_(shortcut).relu_()
                                    : fused_batch_norm_add_relu(bn, x, shortcut);
}

torch::Tensor batch_norm_pair_relu(BatchNorm2dImpl& bn, const torch::Tensor& x, BatchNorm2dImpl& shortcut_bn,
                                   const torch::Tensor& shortcut)
{
    return is_for_comparison(bn, x) ? bn.forward_by_libtorch(x).add_(shortcut_bn.forward_by_libtorch(shortcut)).relu_()
                                    : fused_batch_norm_pair_relu(bn, x, shortcut_bn, shortcut);
}
}  // namespace paws::nn
