#include "src/session/choose_precision.hpp"

#include <fmt/format.h>

#include "src/device/device.hpp"
#include "src/session/choose_convolution.hpp"

namespace paws::session
{
namespace
{
/// Ampere, the first with bfloat16 in its tensor cores; cuDNN has no bfloat16 convolutions before it.
constexpr std::pair first_with_bf16{8, 0};
}  // namespace

device::Precision precision_on(const DeviceTraits& device, const config::Meta& meta)
{
    const auto precision = config::resolve_precision(meta, device.is_gpu, device.cpu_has_bf16);
    if (precision == device::Precision::bf16 && device.is_gpu && device.capability < first_with_bf16)
    {
        throw config::Error(fmt::format("meta.precision: bf16 needs a GPU of sm_80 or newer, and here is {}; use fp16",
                                        device.description));
    }
    if (precision == device::Precision::fp16 && !device.is_gpu)
    {
        throw config::Error("meta.precision: fp16 needs a GPU; use bf16 or fp32 on a CPU");
    }
    return precision;
}

device::Precision choose_precision(const config::Meta& meta, const torch::Device& device)
{
    DeviceTraits traits;
    traits.is_gpu = device.is_cuda();
    traits.cpu_has_bf16 = device::cpu_has_bf16();
    if (traits.is_gpu)
    {
        traits.capability = device::gpu_capability(device.index());
        traits.description = device::describe_gpu(device.index());
    }
    const auto precision = precision_on(traits, meta);
    uses_winograd(meta, precision, device);  // refuses what cannot be
    return precision;
}
}  // namespace paws::session
