#include "src/data/evaluation_loader.hpp"

#include <algorithm>

#include "src/data/augmentation.hpp"
#include "src/data/loader_settings.hpp"
#include "src/data/view_place.hpp"

namespace paws::data
{
EvaluationLoader::EvaluationLoader(const Images& images, const config::Config& config, std::vector<std::int64_t> rows,
                                   torch::Device device)
    : data_(config.data), rows_(std::move(rows))
{
    const auto settings = pipeline_settings(config, evaluation_batch_bytes(config.data), images.node, device);
    source_ = ViewPlace(images, config.data, device).source(settings, [this] { return plan(); });
}

std::optional<BatchPlan> EvaluationLoader::plan()
{
    const auto count = std::min(rows_.size() - planned_, static_cast<std::size_t>(data_.evaluation_batch_size));
    if (count == 0)
    {
        return std::nullopt;
    }
    BatchPlan plan;
    plan.kinds = {center_view(data_)};
    plan.counts = {static_cast<std::int64_t>(count)};
    for (std::size_t i = 0; i < count; ++i)
    {
        plan.images.push_back({rows_[planned_ + i], {{0, 0, static_cast<std::int64_t>(i)}}});
    }
    planned_ += count;
    return plan;
}

std::optional<torch::Tensor> EvaluationLoader::next()
{
    const auto batch = source_->next();
    return batch ? std::optional(batch->views.front()) : std::nullopt;
}
}  // namespace paws::data
