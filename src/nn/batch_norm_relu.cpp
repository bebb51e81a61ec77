#include "src/nn/batch_norm_relu.hpp"

#include <stdexcept>
#include <string>

#include "kernels/batch_norm.hpp"
#include "src/nn/batch_norm_observer.hpp"
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

/// A layer as this file sees it, of pictures or of vectors.
struct Layer
{
    template <class Impl>
    explicit Layer(Impl& bn)
        : weight(bn.weight),
          bias(bn.bias),
          running_mean(bn.running_mean),
          running_var(bn.running_var),
          batches(bn.num_batches_tracked),
          epsilon(bn.options.eps()),
          momentum(bn.options.momentum().value()),
          training(bn.is_training()),
          ranks(bn.ranks)
    {
    }

    torch::Tensor weight, bias, running_mean, running_var, batches;
    double epsilon;
    double momentum;
    bool training;
    std::shared_ptr<comm::Communicator> ranks;
};

/// What normalises x: the values per channel that a forward pass hands to its backward pass.
struct Normalization
{
    torch::Tensor mean;
    torch::Tensor inverse;  ///< 1 / √(σ² + ε)
    torch::Tensor scale;    ///< γ / √(σ² + ε)
    double count = 0;       ///< values a channel, of all ranks
};

/// Mean and sum of squared deviations [C] of `count` values of this rank become those of all ranks' values, whose
/// number is returned. What is summed are deviations from the running mean, which all ranks have in common: sums of
/// squares themselves would lose the variance of channels with a large mean.
double merge_statistics(const torch::Tensor& mean, const torch::Tensor& deviation, double count, const Layer& layer)
{
    const auto channels = mean.size(0);
    const auto origin = layer.running_mean.to(torch::kFloat64);
    const auto sums = torch::empty({2 * channels + 1}, torch::kFloat64);
    const auto distance = mean.to(torch::kFloat64) - origin;
    sums.slice(0, 0, channels).copy_(distance * count);
    sums.slice(0, channels, 2 * channels).copy_(deviation.to(torch::kFloat64) + distance * distance * count);
    sums[2 * channels] = count;
    layer.ranks->all_reduce(sums);
    const auto total = sums[2 * channels].item<double>();
    const auto offset = sums.slice(0, 0, channels) / total;
    mean.copy_(origin + offset);
    deviation.copy_((sums.slice(0, channels, 2 * channels) - offset * offset * total).clamp_min(0));
    return total;
}

/// By the batch's statistics in training, which then enter the running ones; else by the running ones.
template <class Stored, class Real>
Normalization normalization_of(const torch::Tensor& x, const Layer& bn)
{
    if (!bn.training)
    {
        // A copy of the mean: a backward pass may come after the running one has moved on.
        const auto inverse = (bn.running_var + bn.epsilon).rsqrt();
        return {bn.running_mean.clone(), inverse, inverse * bn.weight};
    }
    const HostExec exec;
    const auto mean = torch::empty_like(bn.running_mean);
    const auto deviation = torch::empty_like(bn.running_mean);
    const auto scratch = scratch_for(x, bn.running_mean.options());
    kernels::batch_norm_statistics(exec, matrix_of<const Stored>(x), view_of<Real, 1>(mean),
                                   view_of<Real, 1>(deviation), view_of<Real, 3>(scratch));
    exec.fence();
    if (auto* const observer = BatchNormObserver::active)
    {
        observer->statistics_ready(mean.data_ptr(), mean.size(0), statistics_bytes(mean.size(0)));
    }
    auto count = static_cast<double>(x.numel() / x.size(1));
    if (!bn.ranks->is_alone())
    {
        count = merge_statistics(mean, deviation, count, bn);
    }
    bn.running_mean.mul_(1 - bn.momentum).add_(mean, bn.momentum);
    bn.running_var.mul_(1 - bn.momentum).add_(deviation, bn.momentum / (count - 1));
    const auto inverse = (deviation / count + bn.epsilon).rsqrt();
    return {mean, inverse, inverse * bn.weight, count};
}

/// What a forward pass hands to its backward pass beside tensors.
struct Call : torch::CustomClassHolder
{
    Call(const Layer& layer, double count_, bool relu_)
        : training(layer.training), relu(relu_), count(count_), ranks(layer.ranks)
    {
    }
    bool training;
    bool relu;
    double count;
    std::shared_ptr<comm::Communicator> ranks;
};

/// The gradient of x from g, the gradient behind the ReLU where `relu`, and from this rank's two sums over it, [2, C]:
/// Σ g and Σ g (x − mean).
template <class Stored, class Real>
torch::Tensor gradient_of_input(const torch::Tensor& x, const torch::Tensor& g, const Normalization& normalization,
                                const torch::Tensor& bias, const torch::Tensor& own_sums, const Call& call, bool relu)
{
    const HostExec exec;
    const auto& [mean, inverse, scale, count] = normalization;
    // Frozen statistics do not move with x.
    auto slope = torch::zeros_like(scale);
    auto offset = torch::zeros_like(scale);
    if (call.training)
    {
        if (auto* const observer = BatchNormObserver::active)
        {
            observer->sums_ready(mean.data_ptr(), static_cast<std::int64_t>(own_sums.nbytes()));
        }
        auto sums = own_sums;
        if (!call.ranks->is_alone())
        {
            sums = own_sums.clone();
            call.ranks->all_reduce(sums);
        }
        slope = sums[1] * inverse * inverse / -count;
        offset = sums[0] / -count;
    }
    auto grad_x = torch::empty_like(x);
    kernels::batch_norm_backward_apply(exec, matrix_of<const Stored>(x), matrix_of<const Stored>(g),
                                       view_of<const Real, 1>(mean), view_of<const Real, 1>(scale),
                                       view_of<const Real, 1>(bias), view_of<const Real, 1>(slope),
                                       view_of<const Real, 1>(offset), relu, matrix_of<Stored>(grad_x));
    exec.fence();
    return grad_x;
}

void keep_call(AutogradContext* context, const Layer& layer, double count, bool relu)
{
    context->saved_data["call"] = c10::IValue::make_capsule(c10::make_intrusive<Call>(layer, count, relu));
}

c10::intrusive_ptr<Call> kept_call(AutogradContext* context)
{
    return c10::static_intrusive_pointer_cast<Call>(context->saved_data["call"].toCapsule());
}

/// Forward and backward for one storage type; per-channel values are `Real`. The layer itself comes for its running
/// statistics and options; weight and bias come as arguments, for their gradients.
template <class Stored, class Real = typename kernels::Compute<Stored>::type>
class BatchNormFunction : public torch::autograd::Function<BatchNormFunction<Stored, Real>>
{
public:
    static torch::Tensor forward(AutogradContext* context, const torch::Tensor& pictures, const torch::Tensor& weight,
                                 const torch::Tensor& bias, const Layer& bn, bool relu)
    {
        const HostExec exec;
        const auto x = channels_last(pictures);
        const auto normalization = normalization_of<Stored, Real>(x, bn);
        const auto& [mean, inverse, scale, count] = normalization;
        auto y = torch::empty_like(x);
        kernels::batch_norm_apply(exec, matrix_of<const Stored>(x), view_of<const Real, 1>(mean),
                                  view_of<const Real, 1>(scale), view_of<const Real, 1>(bias), relu,
                                  matrix_of<Stored>(y));
        exec.fence();
        context->save_for_backward({x, mean, inverse, scale, bias});
        keep_call(context, bn, count, relu);
        static_cast<void>(weight);  // known from bn; an argument so that it gets its gradient
        return y;
    }

    static tensor_list backward(AutogradContext* context, tensor_list grads)
    {
        const HostExec exec;
        const auto saved = context->get_saved_variables();
        const auto& x = saved[0];
        const auto& bias = saved[4];
        const auto call = kept_call(context);
        const Normalization normalization{saved[1], saved[2], saved[3], call->count};
        const auto grad_y = channels_last(grads[0]);
        const auto sums = torch::empty({2, bias.size(0)}, bias.options());
        const auto scratch = scratch_for(x, bias.options());
        kernels::batch_norm_backward_sums(exec, matrix_of<const Stored>(x), matrix_of<const Stored>(grad_y),
                                          view_of<const Real, 1>(normalization.mean),
                                          view_of<const Real, 1>(normalization.scale), view_of<const Real, 1>(bias),
                                          call->relu, view_of<Real, 1>(sums[0]), view_of<Real, 1>(sums[1]),
                                          view_of<Real, 3>(scratch));
        exec.fence();
        auto grad_x = gradient_of_input<Stored, Real>(x, grad_y, normalization, bias, sums, *call, call->relu);
        return {grad_x, sums[1] * normalization.inverse, sums[0], {}, {}};
    }
};

/// The same with a shortcut that is added before the ReLU. The mask is taken from y, as LibTorch's ReLU does; y is kept
/// by the layers behind this one anyway.
template <class Stored, class Real = typename kernels::Compute<Stored>::type>
class BatchNormAddFunction : public torch::autograd::Function<BatchNormAddFunction<Stored, Real>>
{
public:
    static torch::Tensor forward(AutogradContext* context, const torch::Tensor& pictures, const torch::Tensor& shortcut,
                                 const torch::Tensor& weight, const torch::Tensor& bias, const Layer& bn)
    {
        const HostExec exec;
        const auto x = channels_last(pictures);
        const auto addend = channels_last(shortcut);
        const auto normalization = normalization_of<Stored, Real>(x, bn);
        const auto& [mean, inverse, scale, count] = normalization;
        auto y = torch::empty_like(x);
        kernels::batch_norm_add_relu_apply(exec, matrix_of<const Stored>(x), view_of<const Real, 1>(mean),
                                           view_of<const Real, 1>(scale), view_of<const Real, 1>(bias),
                                           matrix_of<const Stored>(addend), matrix_of<Stored>(y));
        exec.fence();
        context->save_for_backward({x, mean, inverse, scale, bias, y});
        keep_call(context, bn, count, true);
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
        const auto call = kept_call(context);
        const Normalization normalization{saved[1], saved[2], saved[3], call->count};
        const auto grad_y = channels_last(grads[0]);
        auto grad_shortcut = torch::empty_like(x);
        const auto sums = torch::empty({2, bias.size(0)}, bias.options());
        const auto scratch = scratch_for(x, bias.options());
        kernels::batch_norm_add_relu_backward_sums(
            exec, matrix_of<const Stored>(x), matrix_of<const Stored>(grad_y), matrix_of<const Stored>(y),
            view_of<const Real, 1>(normalization.mean), matrix_of<Stored>(grad_shortcut), view_of<Real, 1>(sums[0]),
            view_of<Real, 1>(sums[1]), view_of<Real, 3>(scratch));
        exec.fence();
        auto grad_x = gradient_of_input<Stored, Real>(x, grad_shortcut, normalization, bias, sums, *call, false);
        return {grad_x, grad_shortcut, sums[1] * normalization.inverse, sums[0], {}};
    }
};

/// Refuses what the layer cannot normalise, and counts the batch in training.
void start_batch(const char* caller, const Layer& bn, const torch::Tensor& x)
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
    if (bn.training)
    {
        if (x.numel() == x.size(1) && bn.ranks->is_alone())
        {
            fail("one value per channel has no statistics; use larger batches");
        }
        bn.batches.add_(1);
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

torch::Tensor normalise(const char* caller, const Layer& bn, const torch::Tensor& x, bool relu)
{
    start_batch(caller, bn, x);
    return with_storage_type(
        x, [&](auto stored) { return BatchNormFunction<decltype(stored)>::apply(x, bn.weight, bn.bias, bn, relu); });
}

/// Whether LibTorch's own operators serve.
bool is_for_comparison(const BatchNorm2dImpl& bn, const torch::Tensor& x)
{
    return x.scalar_type() == torch::kFloat64 && bn.ranks->is_alone();
}
}  // namespace

torch::Tensor fused_batch_norm(BatchNorm2dImpl& bn, const torch::Tensor& x, bool relu)
{
    return normalise("fused_batch_norm", Layer(bn), x, relu);
}

torch::Tensor fused_batch_norm_of_vectors(BatchNorm1dImpl& bn, const torch::Tensor& x)
{
    const Layer layer(bn);
    return normalise("fused_batch_norm_of_vectors", layer, x.unsqueeze(-1).unsqueeze(-1), false).flatten(1);
}

torch::Tensor fused_batch_norm_add_relu(BatchNorm2dImpl& bn, const torch::Tensor& x, const torch::Tensor& shortcut)
{
    if (shortcut.sizes() != x.sizes())
    {
        throw std::invalid_argument("fused_batch_norm_add_relu: the shortcut must have the shape of the pictures");
    }
    const Layer layer(bn);
    start_batch("fused_batch_norm_add_relu", layer, x);
    const auto addend = shortcut.to(x.scalar_type());
    return with_storage_type(
        x, [&](auto stored)
        { return BatchNormAddFunction<decltype(stored)>::apply(x, addend, layer.weight, layer.bias, layer); });
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
}  // namespace paws::nn
