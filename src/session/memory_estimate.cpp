#include "src/session/memory_estimate.hpp"

#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include <algorithm>

#include "src/checkpoint/starting_network.hpp"
#include "src/data/loader_settings.hpp"
#include "src/device/torch_compat.hpp"

namespace paws::session
{
namespace
{
/// Follows what LibTorch's CPU allocator gives out and takes back on this thread.
class AllocationWatch final : public c10::MemoryReportingInfoBase
{
public:
    void reportMemoryUsage(void*, std::int64_t size, device::AllocatorTotal, device::AllocatorTotal,
                           c10::Device) override
    {
        held_ += size;
        peak_ = std::max(peak_, held_);
    }
    bool memoryProfilingEnabled() const override { return true; }
    std::int64_t peak() const { return peak_; }

private:
    std::int64_t held_ = 0;
    std::int64_t peak_ = 0;
};

std::int64_t peak_of_batch(nn::Encoder& encoder, std::int64_t images, std::int64_t size, device::Precision precision)
{
    const auto watch = std::make_shared<AllocationWatch>();
    encoder.zero_grad();
    {
        const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, watch);
        const auto batch = torch::zeros({images, size, size, 3}, device::storage_type(precision)).permute({0, 3, 1, 2});
        torch::Tensor sum;
        {
            const device::AutocastScope autocast(precision);
            sum = encoder.forward({batch}).z.sum();
        }
        sum.backward();
    }
    return watch->peak();
}

std::int64_t bytes_per_image(nn::Encoder& encoder, std::int64_t size, device::Precision precision)
{
    constexpr std::int64_t few = 2;
    constexpr std::int64_t more = 6;
    const auto growth = peak_of_batch(encoder, more, size, precision) - peak_of_batch(encoder, few, size, precision);
    return std::max<std::int64_t>(0, growth) / (more - few);
}
}  // namespace

MemoryEstimate estimate_memory(const config::Config& config, device::Precision wanted, const data::RankShare& share)
{
    // Measured on this CPU, which has no float16; bfloat16 is as wide.
    const auto precision = wanted == device::Precision::fp16 ? device::Precision::bf16 : wanted;
    const auto encoder = checkpoint::new_network(config);
    encoder->to(device::storage_type(precision));
    const auto views = data::views_of_step(config);
    const auto large = share.count * views.large;
    const auto small = share.count * views.small;

    MemoryEstimate estimate;
    const auto element = static_cast<std::int64_t>(torch::elementSize(device::storage_type(precision)));
    estimate.weights = 3 * element * nn::parameter_count(*encoder);
    estimate.activations = large * bytes_per_image(*encoder, config.data.crop_size, precision);
    if (small > 0)
    {
        estimate.activations += small * bytes_per_image(*encoder, config.data.small_crop_size, precision);
    }
    return estimate;
}
}  // namespace paws::session
