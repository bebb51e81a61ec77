#include "src/data/resident_views.hpp"

#include <utility>

#include "src/data/augmentation.hpp"
#include "src/data/pinned_memory.hpp"

namespace paws::data
{
namespace
{
/// What fill_views takes of every kind, one after the other: of the views in their places the rows of `pixels`, the
/// images' rows in the data set, and the views' numbers.
std::vector<std::int64_t> orders_of(const BatchPlan& plan, std::int64_t pixels)
{
    std::vector<std::int64_t> begins;
    std::int64_t all = 0;
    for (const auto count : plan.counts)
    {
        begins.push_back(all);
        all += 3 * count;
    }
    std::vector<std::int64_t> orders(static_cast<std::size_t>(all));
    for (const auto& image : plan.images)
    {
        for (const auto& view : image.views)
        {
            const auto count = plan.counts[view.kind];
            auto* const order = orders.data() + begins[view.kind] + view.place;
            order[0] = image.row % pixels;
            order[count] = image.row;
            order[2 * count] = view.number;
        }
    }
    return orders;
}
}  // namespace

ResidentViews::ResidentViews(torch::Tensor pixels, bool reuse, NextPlan next_plan)
    : pixels_(std::move(pixels)), reuse_(reuse), next_plan_(std::move(next_plan))
{
}

std::optional<ViewBatch> ResidentViews::next()
{
    const auto plan = planned_all_ ? std::nullopt : next_plan_();
    if (!plan)
    {
        planned_all_ = true;
        return std::nullopt;
    }
    if (reused_)
    {
        return reused_;
    }
    auto batch = make(*plan);
    if (reuse_)
    {
        reused_ = batch;
    }
    return batch;
}

ViewBatch ResidentViews::make(const BatchPlan& plan) const
{
    const auto device = pixels_.device();
    const auto orders = sent_values(orders_of(plan, pixels_.size(0)), device);
    ViewBatch batch;
    std::int64_t begin = 0;
    for (const auto& views : empty_views(plan, torch::TensorOptions().device(device)))
    {
        const auto& kind = plan.kinds[batch.views.size()];
        const auto count = views.size(0);
        if (count > 0)
        {
            fill_views(kind, pixels_, orders.narrow(0, begin, 3 * count).view({3, count}), views);
        }
        begin += 3 * count;
        batch.views.push_back(channels_last(views));
    }
    batch.classes = sent_values(plan.classes, device);
    return batch;
}
}  // namespace paws::data
