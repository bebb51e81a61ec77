#include "src/device/precision.hpp"

#include "src/device/torch_compat.hpp"

namespace paws::device
{
torch::ScalarType storage_type(Precision precision)
{
    return precision == Precision::fp64 ? torch::kFloat64 : torch::kFloat32;
}

AutocastScope::AutocastScope(Precision precision, torch::Device device)
    : device_(device.type()),
      active_(precision == Precision::bf16 || (precision == Precision::fp16 && device.is_cuda()))
{
    if (active_)
    {
        set_autocast_type(device_, precision == Precision::bf16 ? at::kBFloat16 : at::kHalf);
        set_autocast(device_, true);
        at::autocast::increment_nesting();
    }
}

AutocastScope::~AutocastScope()
{
    if (active_)
    {
        // The cache holds copies of the weights in the smaller type, which the next update makes stale.
        if (at::autocast::decrement_nesting() == 0)
        {
            at::autocast::clear_cache();
        }
        set_autocast(device_, false);
    }
}
}  // namespace paws::device
