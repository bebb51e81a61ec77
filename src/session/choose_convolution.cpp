#include "src/session/choose_convolution.hpp"

#include <fmt/format.h>

#include "src/nn/blocked_convolution.hpp"

namespace paws::session
{
bool uses_winograd(const config::Meta& meta, device::Precision precision, bool on_cpu, bool has_blocked)
{
    const bool possible = on_cpu && precision == device::Precision::fp32 && has_blocked;
    if (meta.convolution == config::Convolution::winograd && !possible)
    {
        const auto reason = !on_cpu                                ? std::string("the device is a GPU")
                            : precision != device::Precision::fp32 ? "the precision is " + config::to_string(precision)
                                                                   : "the processor has no AVX-512, or the program was "
                                                                     "built without oneDNN 2";
        throw config::Error(
            fmt::format("meta.convolution: winograd needs float32 on a CPU with AVX-512, and {}; use "
                        "auto or direct{}",
                        reason, on_cpu && precision != device::Precision::fp32 ? ", or meta.precision: fp32" : ""));
    }
    return possible && meta.convolution != config::Convolution::direct;
}

bool uses_winograd(const config::Meta& meta, device::Precision precision, const torch::Device& device)
{
    return uses_winograd(meta, precision, device.is_cpu(), nn::has_blocked_convolutions());
}
}  // namespace paws::session
