#include "src/session/choose_precision.hpp"

#include <fmt/format.h>

#include <array>

#include "src/device/device.hpp"
#include "src/session/choose_convolution.hpp"

namespace paws::session
{
namespace
{
/// Ampere, the first with bfloat16 in its tensor cores; cuDNN has no bfloat16 convolutions before it.
constexpr std::pair first_with_bf16{8, 0};

/// What processors have to be for a line of the table to hold; the first that holds counts.
struct Rule
{
    bool (*holds)(const device::Processor&);
    FastPrecision choice;
};

// Seconds of train_step/cifar10_div8 (perf/bench_train_step.cpp; wide_resnet28w2, oneDNN 2.6), in bf16 and in float32.
constexpr std::array rules{
    // Xeon, family 6, model 207, with AMX: 1.34 and, by Winograd's convolutions, 1.81 on two cores (direct: 2.81).
    Rule{[](const device::Processor& processor) { return processor.amx_bf16; },
         {device::Precision::bf16, "this processor has AMX-BF16, with which bf16 is the faster one"}},
    // EPYC (Zen 4): 1.17 and 2.27 on two cores.
    Rule{[](const device::Processor& processor)
         { return processor.avx512_bf16 && processor.make == device::ProcessorMake::amd; },
         {device::Precision::bf16, "this processor has AMD's AVX512-BF16, with which bf16 is the faster one"}},
    // Xeon, family 6, model 207, without AMX: 2.80 and 1.96 on two cores.
    Rule{[](const device::Processor& processor) { return processor.avx512_bf16; },
         {device::Precision::fp32, "bf16 is the slower one on processors that have AVX512-BF16 without AMX"}},
    // Converted to float32 and back around each product.
    Rule{[](const device::Processor&) { return true; },
         {device::Precision::fp32, "this processor has no instructions for bf16"}},
};

DeviceTraits traits_of(const torch::Device& device)
{
    DeviceTraits traits;
    traits.is_gpu = device.is_cuda();
    traits.processor = device::this_processor();
    if (traits.is_gpu)
    {
        traits.capability = device::gpu_capability(device.index());
        traits.description = device::describe_gpu(device.index());
    }
    return traits;
}
}  // namespace

FastPrecision fast_precision(const device::Processor& processor)
{
    const auto* rule = rules.begin();
    while (!rule->holds(processor))
    {
        ++rule;
    }
    return rule->choice;
}

device::Precision precision_on(const DeviceTraits& device, const config::Meta& meta)
{
    const auto precision = config::resolve_precision(
        meta, device.is_gpu, fast_precision(device.processor).precision == device::Precision::bf16);
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
    const auto precision = precision_on(traits_of(device), meta);
    uses_winograd(meta, precision, device);  // refuses what cannot be
    return precision;
}

std::string describe_precision(const config::Meta& meta, const torch::Device& device)
{
    const auto traits = traits_of(device);
    auto text = describe_precision(traits, meta);
    if (uses_winograd(meta, precision_on(traits, meta), device))
    {
        text.insert(text.size() - 1, "; 3×3 convolutions by Winograd's algorithm where it is faster");
    }
    return text;
}

std::string describe_precision(const DeviceTraits& device, const config::Meta& meta)
{
    if (device.is_gpu)
    {
        return "";
    }
    const auto [fast, reason] = fast_precision(device.processor);
    const auto chosen = precision_on(device, meta);
    const bool is_half = chosen == device::Precision::bf16;
    std::string why;
    if (meta.precision == device::Precision::automatic)
    {
        why = meta.use_fp16 ? fmt::format("chosen by meta.precision: auto; {}", reason)
                            : "meta.use_fp16 does not ask for less";
    }
    else if (is_half && fast != device::Precision::bf16)
    {
        why = fmt::format("as meta.precision says; {}", reason);
    }
    else
    {
        why = "as meta.precision says";
    }
    return fmt::format("precision       {}: {}\n", to_string(chosen), why);
}
}  // namespace paws::session
