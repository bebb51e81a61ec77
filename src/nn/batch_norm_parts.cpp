#include "src/nn/batch_norm_parts.hpp"

#include <stdexcept>
#include <string>

namespace paws::nn
{
torch::Tensor in_order(const torch::Tensor& images)
{
    return is_in_blocks(images) ? images.contiguous() : images.contiguous(torch::MemoryFormat::ChannelsLast);
}

torch::Tensor batch_norm_scratch(const torch::Tensor& x, const torch::TensorOptions& options)
{
    const auto channels = channels_of(x);
    if (is_in_blocks(x))
    {
        const auto chunks = kernels::batch_norm_blocked_chunks(x.size(0), x.size(2) * x.size(3), channels);
        return torch::empty({chunks, 2, channels}, options);
    }
    const auto chunks = device::on_device_of(
        x, [&](const auto& exec)
        { return kernels::batch_norm_chunks<std::decay_t<decltype(exec)>>(x.numel() / channels, channels); });
    return torch::empty({chunks, 2, channels}, options);
}

void start_batch(const char* caller, const BatchNormLayer& layer, const torch::Tensor& x)
{
    const auto fail = [&](const char* reason) { throw std::invalid_argument(std::string(caller) + ": " + reason); };
    if (!(x.dim() == 4 || is_in_blocks(x)) || channels_of(x) != layer.weight.size(0))
    {
        fail("images must be [N, C, H, W] or [N, C / 16, H, W, 16] with the layer's number of channels");
    }
    const auto type = x.scalar_type();
    if (type != torch::kFloat64 && type != torch::kFloat32 && type != torch::kBFloat16 && type != torch::kFloat16)
    {
        fail("images must be float32, float64, bfloat16 or float16");
    }
    if (is_in_blocks(x) && (type != torch::kFloat32 || !x.is_cpu()))
    {
        fail("images in blocks of channels must be float32, in host memory");
    }
    if (layer.training)
    {
        if (x.numel() == channels_of(x) && layer.ranks->is_alone())
        {
            fail("one value per channel has no statistics; use larger batches");
        }
        layer.batches.add_(1);
    }
}

void keep_call(torch::autograd::AutogradContext* context, const BatchNormLayer& layer, bool relu)
{
    context->saved_data["call"] = c10::IValue::make_capsule(c10::make_intrusive<BatchNormCall>(layer, relu));
}

c10::intrusive_ptr<BatchNormCall> kept_call(torch::autograd::AutogradContext* context)
{
    return c10::static_intrusive_pointer_cast<BatchNormCall>(context->saved_data["call"].toCapsule());
}
}  // namespace paws::nn
