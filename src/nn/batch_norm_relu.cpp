#include "src/nn/batch_norm_relu.hpp"

#include <stdexcept>

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

/// Forward and backward for one storage type; per-channel values are `Real`.
template <class Stored, class Real = typename kernels::Compute<Stored>::type>
class BatchNormFunction : public torch::autograd::Function<BatchNormFunction<Stored, Real>>
{
public:
    static torch::Tensor forward(AutogradContext* context, const torch::Tensor& pictures, const torch::Tensor& weight,
                                 const torch::Tensor& bias, torch::Tensor running_mean, torch::Tensor running_var,
                                 bool training, double momentum, double epsilon, bool relu)
    {
        const HostExec exec;
        const auto x = channels_last(pictures);
        const auto count = x.numel() / x.size(1);
        torch::Tensor mean = running_mean;
        torch::Tensor variance = running_var;
        if (training)
        {
            mean = torch::empty_like(weight);
            auto deviation = torch::empty_like(weight);
            const auto scratch = scratch_for(x, weight.options());
            kernels::batch_norm_statistics(exec, matrix_of<const Stored>(x), view_of<Real, 1>(mean),
                                           view_of<Real, 1>(deviation), view_of<Real, 3>(scratch));
            exec.fence();
            variance = deviation / count;
            running_mean.mul_(1 - momentum).add_(mean, momentum);
            running_var.mul_(1 - momentum).add_(deviation, momentum / static_cast<double>(count - 1));
        }
        const auto inverse = (variance + epsilon).rsqrt();
        const auto scale = inverse * weight;
        auto y = torch::empty_like(x);
        kernels::batch_norm_apply(exec, matrix_of<const Stored>(x), view_of<const Real, 1>(mean),
                                  view_of<const Real, 1>(scale), view_of<const Real, 1>(bias), relu,
                                  matrix_of<Stored>(y));
        exec.fence();
        context->save_for_backward({x, training ? mean : mean.clone(), inverse, scale, bias});
        context->saved_data["training"] = training;
        context->saved_data["relu"] = relu;
        return y;
    }

    static tensor_list backward(AutogradContext* context, tensor_list grads)
    {
        const HostExec exec;
        const auto saved = context->get_saved_variables();
        const auto &x = saved[0], &mean = saved[1], &inverse = saved[2], &scale = saved[3], &bias = saved[4];
        const bool relu = context->saved_data["relu"].toBool();
        const auto grad_y = channels_last(grads[0]);
        auto grad_bias = torch::empty_like(scale);
        auto centred = torch::empty_like(scale);
        const auto scratch = scratch_for(x, scale.options());
        kernels::batch_norm_backward_sums(exec, matrix_of<const Stored>(x), matrix_of<const Stored>(grad_y),
                                          view_of<const Real, 1>(mean), view_of<const Real, 1>(scale),
                                          view_of<const Real, 1>(bias), relu, view_of<Real, 1>(grad_bias),
                                          view_of<Real, 1>(centred), view_of<Real, 3>(scratch));
        exec.fence();
        auto slope = torch::zeros_like(scale);
        auto offset = torch::zeros_like(scale);
        if (context->saved_data["training"].toBool())
        {
            const auto count = static_cast<double>(x.numel() / x.size(1));
            slope = centred * inverse * inverse / -count;
            offset = grad_bias / -count;
        }
        auto grad_x = torch::empty_like(x);
        kernels::batch_norm_backward_apply(exec, matrix_of<const Stored>(x), matrix_of<const Stored>(grad_y),
                                           view_of<const Real, 1>(mean), view_of<const Real, 1>(scale),
                                           view_of<const Real, 1>(bias), view_of<const Real, 1>(slope),
                                           view_of<const Real, 1>(offset), relu, matrix_of<Stored>(grad_x));
        exec.fence();
        return {grad_x, centred * inverse, grad_bias, {}, {}, {}, {}, {}, {}};
    }
};

}  // namespace

torch::Tensor fused_batch_norm(torch::nn::BatchNorm2dImpl& bn, const torch::Tensor& x, bool relu)
{
    if (x.dim() != 4 || x.size(1) != bn.weight.size(0))
    {
        throw std::invalid_argument(
            "fused_batch_norm: pictures must be [N, C, H, W] with the layer's number of channels");
    }
    const auto run = [&](auto stored)
    {
        return BatchNormFunction<decltype(stored)>::apply(x, bn.weight, bn.bias, bn.running_mean, bn.running_var,
                                                          bn.is_training(), bn.options.momentum().value(),
                                                          bn.options.eps(), relu);
    };
    if (bn.is_training())
    {
        if (x.numel() == x.size(1))
        {
            throw std::invalid_argument(
                "fused_batch_norm: one value per channel has no statistics; use larger batches");
        }
        bn.num_batches_tracked.add_(1);
    }
    switch (x.scalar_type())
    {
        case torch::kFloat64:
            return run(double{});
        case torch::kFloat32:
            return run(float{});
        case torch::kBFloat16:
            return run(kernels::bfloat16{});
        default:
            throw std::invalid_argument("fused_batch_norm: pictures must be float32, float64 or bfloat16");
    }
}

torch::Tensor batch_norm_relu(torch::nn::BatchNorm2dImpl& bn, const torch::Tensor& x)
{
    return x.scalar_type() == torch::kFloat64 ? bn.forward(x).relu_() : fused_batch_norm(bn, x, true);
}

torch::Tensor batch_norm(torch::nn::BatchNorm2dImpl& bn, const torch::Tensor& x)
{
    return x.scalar_type() == torch::kFloat64 ? bn.forward(x) : fused_batch_norm(bn, x, false);
}
}  // namespace paws::nn
