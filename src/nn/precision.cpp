#include "src/nn/precision.hpp"

namespace paws::nn
{
std::string to_string(Precision precision)
{
    switch (precision)
    {
        case Precision::fp32:
            return "fp32";
        case Precision::fp64:
            return "fp64";
        case Precision::bf16:
            return "bf16";
        case Precision::fp16:
            return "fp16";
    }
    return "?";
}

bool cpu_has_bf16()
{
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx512bf16");
#else
    return false;
#endif
}

torch::ScalarType storage_type(Precision precision)
{
    return precision == Precision::fp64 ? torch::kFloat64 : torch::kFloat32;
}

AutocastScope::AutocastScope(Precision precision) : active_(precision == Precision::bf16)
{
    if (active_)
    {
        at::autocast::set_autocast_cpu_dtype(at::kBFloat16);
        at::autocast::set_cpu_enabled(true);
        at::autocast::increment_nesting();
    }
}

AutocastScope::~AutocastScope()
{
    if (active_)
    {
        // The cache holds bf16 copies of the weights, which the next update makes stale.
        if (at::autocast::decrement_nesting() == 0)
        {
            at::autocast::clear_cache();
        }
        at::autocast::set_cpu_enabled(false);
    }
}
}  // namespace paws::nn
