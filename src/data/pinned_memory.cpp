#include "src/data/pinned_memory.hpp"

#include <algorithm>

namespace paws::data
{
torch::TensorOptions staging_memory(torch::ScalarType type, torch::Device device)
{
    return torch::TensorOptions().dtype(type).pinned_memory(device.is_cuda());
}

torch::Tensor send(const torch::Tensor& staged, torch::Device device)
{
    constexpr bool non_blocking = true;
    return staged.to(device, non_blocking);
}

torch::Tensor sent_values(const std::vector<std::int64_t>& values, torch::Device device)
{
    if (values.empty())
    {
        return {};
    }
    const auto staged = torch::empty({static_cast<std::int64_t>(values.size())}, staging_memory(torch::kInt64, device));
    std::copy(values.begin(), values.end(), staged.data_ptr<std::int64_t>());
    return send(staged, device);
}

std::vector<torch::Tensor> empty_views(const BatchPlan& plan, const torch::TensorOptions& memory)
{
    std::vector<torch::Tensor> views;
    for (std::size_t k = 0; k < plan.kinds.size(); ++k)
    {
        const auto size = view_size(plan.kinds[k]);
        views.push_back(torch::empty({plan.counts[k], size, size, 3}, memory.dtype(torch::kFloat32)));
    }
    return views;
}

torch::Tensor channels_last(const torch::Tensor& views)
{
    return views.permute({0, 3, 1, 2});
}
}  // namespace paws::data
