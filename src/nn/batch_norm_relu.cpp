#include "src/nn/batch_norm_relu.hpp"

#include <stdexcept>
#include <string>

#include "kernels/batch_norm.hpp"
#include "src/nn/tensor_view.hpp"

namespace paws::nn
{
namespace
{
using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

/// Channels-last pictures [N, C, H, W] as the kernels see them: a matrix [N·H·W, C].
template <class Stored>
TensorView<Stored, 2> matrix_of(const torch::Tensor& pictures)
{
    return TensorView<Stored, 2>(static_cast<Stored*>(pictures.data_ptr()),
                                 static_cast<std::size_t>(pictures.size(0) * pictures.size(2) * pictures.size(3)),
                                 static_cast<std::size_t>(pictures.size(1)));
}

torch::Tensor channels_last(const torch::Tensor& pictures)
{
    return pictures.contiguous(torch::MemoryFormat::ChannelsLast);
}

/// Space for the partial sums of a layer. Held by name in the callers: a kernel may still run when its launch returns.
torch::Tensor scratch_for(const torch::Tensor& x, const torch::TensorOptions& options)
{
    const auto rows = x.numel() / x.size(1);
    return torch::empty({kernels::batch_norm_chunks(rows, x.size(1)), 2, x.size(1)}, options);
}

/// What normalises x: the values per channel that a forward pass hands to its backward pass.
struct Normalization
{
    torch::Tensor mean;
    torch::Tensor inverse;  ///< 1 / √(σ² + ε)
    torch::Tensor scale;    ///< γ / √(σ² + ε)
};

/// By the batch's statistics in training, which then enter the running ones; else by the running ones.
template <class Stored, class Real>
Normalization normalization_of(const torch::Tensor& x, torch::nn::BatchNorm2dImpl& bn)
{
    if (!bn.is_training())
    {
        // A copy of the mean: a backward pass may come after the running one has moved on.
        const auto inverse = (bn.running_var + bn.options.eps()).rsqrt();
        return {bn.running_mean.clone(), inverse, inverse * bn.weight};
    }
    const HostExec exec;
    const auto mean = torch::empty_like(bn.weight);
    const auto deviation = torch::empty_like(bn.weight);
    const auto scratch = scratch_for(x, bn.weight.options());
    kernels::batch_norm_statistics(exec, matrix_of<const Stored>(x), view_of<Real, 1>(mean),
                                   view_of<Real, 1>(deviation), view_of<Real, 3>(scratch));
    exec.fence();
    const auto count = static_cast<double>(x.numel() / x.size(1));
    const double momentum = bn.options.momentum().value();
    bn.running_mean.mul_(1 - momentum).add_(mean, momentum);
    bn.running_var.mul_(1 - momentum).add_(deviation, momentum / (count - 1));
    const auto inverse = (deviation / count + bn.options.eps()).rsqrt();
    return {mean, inverse, inverse * bn.weight};
}

/// The gradient of x from g, the gradient behind the ReLU where `relu`, from the layer's two sums over it.
template <class Stored, class Real>
torch::Tensor gradient_of_input(const torch::Tensor& x, const torch::Tensor& g, const Normalization& normalization,
                                const torch::Tensor& bias, const torch::Tensor& grad_bias, const torch::Tensor& centred,
                                bool training, bool relu)
{
    const HostExec exec;
    const auto& [mean, inverse, scale] = normalization;
    // Frozen statistics do not move with x.
    auto slope = torch::zeros_like(scale);
    auto offset = torch::zeros_like(scale);
    if (training)
    {
        const auto count = static_cast<double>(x.numel() / x.size(1));
        slope = centred * inverse * inverse / -count;
        offset = grad_bias / -count;
    }
    auto grad_x = torch::empty_like(x);
    kernels::batch_norm_backward_apply(exec, matrix_of<const Stored>(x), matrix_of<const Stored>(g),
                                       view_of<const Real, 1>(mean), view_of<const Real, 1>(scale),
                                       view_of<const Real, 1>(bias), view_of<const Real, 1>(slope),
                                       view_of<const Real, 1>(offset), relu, matrix_of<Stored>(grad_x));
    exec.fence();
    return grad_x;
}

/// Forward and backward for one storage type; per-channel values are `Real`. The layer itself comes as a pointer, for
/// its running statistics and options; weight and bias come as arguments, for their gradients.
template <class Stored, class Real = typename kernels::Compute<Stored>::type>
class BatchNormFunction : public torch::autograd::Function<BatchNormFunction<Stored, Real>>
{
public:
    static torch::Tensor forward(AutogradContext* context, const torch::Tensor& pictures, const torch::Tensor& weight,
                                 const torch::Tensor& bias, torch::nn::BatchNorm2dImpl* bn, bool relu)
    {
        const HostExec exec;
        const auto x = channels_last(pictures);
        const auto normalization = normalization_of<Stored, Real>(x, *bn);
        const auto& [mean, inverse, scale] = normalization;
        auto y = torch::empty_like(x);
        kernels::batch_norm_apply(exec, matrix_of<const Stored>(x), view_of<const Real, 1>(mean),
                                  view_of<const Real, 1>(scale), view_of<const Real, 1>(bias), relu,
                                  matrix_of<Stored>(y));
        exec.fence();
        context->save_for_backward({x, mean, inverse, scale, bias});
        context->saved_data["training"] = bn->is_training();
        context->saved_data["relu"] = relu;
        static_cast<void>(weight);  // known from bn; an argument so that it gets its gradient
        return y;
    }

    static tensor_list backward(AutogradContext* context, tensor_list grads)
    {
        const HostExec exec;
        const auto saved = context->get_saved_variables();
        const auto& x = saved[0];
        const auto& bias = saved[4];
        const Normalization normalization{saved[1], saved[2], saved[3]};
        const bool relu = context->saved_data["relu"].toBool();
        const auto grad_y = channels_last(grads[0]);
        auto grad_bias = torch::empty_like(bias);
        auto centred = torch::empty_like(bias);
        const auto scratch = scratch_for(x, bias.options());
        kernels::batch_norm_backward_sums(exec, matrix_of<const Stored>(x), matrix_of<const Stored>(grad_y),
                                          view_of<const Real, 1>(normalization.mean),
                                          view_of<const Real, 1>(normalization.scale), view_of<const Real, 1>(bias),
                                          relu, view_of<Real, 1>(grad_bias), view_of<Real, 1>(centred),
                                          view_of<Real, 3>(scratch));
        exec.fence();
        auto grad_x = gradient_of_input<Stored, Real>(x, grad_y, normalization, bias, grad_bias, centred,
                                                      context->saved_data["training"].toBool(), relu);
        return {grad_x, centred * normalization.inverse, grad_bias, {}, {}};
    }
};

/// The same with a shortcut that is added before the ReLU. The mask is taken from y, as LibTorch's ReLU does; y is kept
/// by the layers behind this one anyway.
template <class Stored, class Real = typename kernels::Compute<Stored>::type>
class BatchNormAddFunction : public torch::autograd::Function<BatchNormAddFunction<Stored, Real>>
{
public:
    static torch::Tensor forward(AutogradContext* context, const torch::Tensor& pictures, const torch::Tensor& shortcut,
                                 const torch::Tensor& weight, const torch::Tensor& bias, torch::nn::BatchNorm2dImpl* bn)
    {
        const HostExec exec;
        const auto x = channels_last(pictures);
        const auto addend = channels_last(shortcut);
        const auto normalization = normalization_of<Stored, Real>(x, *bn);
        const auto& [mean, inverse, scale] = normalization;
        auto y = torch::empty_like(x);
        kernels::batch_norm_add_relu_apply(exec, matrix_of<const Stored>(x), view_of<const Real, 1>(mean),
                                           view_of<const Real, 1>(scale), view_of<const Real, 1>(bias),
                                           matrix_of<const Stored>(addend), matrix_of<Stored>(y));
        exec.fence();
        context->save_for_backward({x, mean, inverse, scale, bias, y});
        context->saved_data["training"] = bn->is_training();
        static_cast<void>(weight);
        return y;
    }

    static tensor_list backward(AutogradContext* context, tensor_list grads)
    {
        const HostExec exec;
        const auto saved = context->get_saved_variables();
        const auto& x = saved[0];
        const auto& bias = saved[4];
        const auto& y = saved[5];
        const Normalization normalization{saved[1], saved[2], saved[3]};
        const auto grad_y = channels_last(grads[0]);
        auto grad_shortcut = torch::empty_like(x);
        auto grad_bias = torch::empty_like(bias);
        auto centred = torch::empty_like(bias);
        const auto scratch = scratch_for(x, bias.options());
        kernels::batch_norm_add_relu_backward_sums(
            exec, matrix_of<const Stored>(x), matrix_of<const Stored>(grad_y), matrix_of<const Stored>(y),
            view_of<const Real, 1>(normalization.mean), matrix_of<Stored>(grad_shortcut), view_of<Real, 1>(grad_bias),
            view_of<Real, 1>(centred), view_of<Real, 3>(scratch));
        exec.fence();
        auto grad_x = gradient_of_input<Stored, Real>(x, grad_shortcut, normalization, bias, grad_bias, centred,
                                                      context->saved_data["training"].toBool(), false);
        return {grad_x, grad_shortcut, centred * normalization.inverse, grad_bias, {}};
    }
};

/// Refuses what the layer cannot normalise, and counts the batch in training.
void start_batch(const char* caller, torch::nn::BatchNorm2dImpl& bn, const torch::Tensor& x)
{
    const auto fail = [&](const char* reason) { throw std::invalid_argument(std::string(caller) + ": " + reason); };
    if (x.dim() != 4 || x.size(1) != bn.weight.size(0))
    {
        fail("pictures must be [N, C, H, W] with the layer's number of channels");
    }
    const auto type = x.scalar_type();
    if (type != torch::kFloat64 && type != torch::kFloat32 && type != torch::kBFloat16 && type != torch::kFloat16)
    {
        fail("pictures must be float32, float64, bfloat16 or float16");
    }
    if (bn.is_training())
    {
        if (x.numel() == x.size(1))
        {
            fail("one value per channel has no statistics; use larger batches");
        }
        bn.num_batches_tracked.add_(1);
    }
}

/// run(a value of the type that kernels know x's elements by).
template <class Run>
torch::Tensor with_storage_type(const torch::Tensor& x, const Run& run)
{
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
}  // namespace

torch::Tensor fused_batch_norm(torch::nn::BatchNorm2dImpl& bn, const torch::Tensor& x, bool relu)
{
    start_batch("fused_batch_norm", bn, x);
    return with_storage_type(
        x, [&](auto stored) { return BatchNormFunction<decltype(stored)>::apply(x, bn.weight, bn.bias, &bn, relu); });
}

torch::Tensor fused_batch_norm_add_relu(torch::nn::BatchNorm2dImpl& bn, const torch::Tensor& x,
                                        const torch::Tensor& shortcut)
{
    if (shortcut.sizes() != x.sizes())
    {
        throw std::invalid_argument("fused_batch_norm_add_relu: the shortcut must have the shape of the pictures");
    }
    start_batch("fused_batch_norm_add_relu", bn, x);
    const auto addend = shortcut.to(x.scalar_type());
    return with_storage_type(
        x,
        [&](auto stored) { return BatchNormAddFunction<decltype(stored)>::apply(x, addend, bn.weight, bn.bias, &bn); });
}

torch::Tensor batch_norm_relu(torch::nn::BatchNorm2dImpl& bn, const torch::Tensor& x)
{
    return x.scalar_type() == torch::kFloat64 ? bn.forward(x).relu_() : fused_batch_norm(bn, x, true);
}

torch::Tensor batch_norm(torch::nn::BatchNorm2dImpl& bn, const torch::Tensor& x)
{
    return x.scalar_type() == torch::kFloat64 ? bn.forward(x) : fused_batch_norm(bn, x, false);
}

torch::Tensor batch_norm_add_relu(torch::nn::BatchNorm2dImpl& bn, const torch::Tensor& x, const torch::Tensor& shortcut)
{
    return x.scalar_type() == torch::kFloat64 ? bn.forward(x).add_(shortcut).relu_()
                                              : fused_batch_norm_add_relu(bn, x, shortcut);
}
}  // namespace paws::nn
