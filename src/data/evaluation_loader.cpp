#include "src/data/evaluation_loader.hpp"

#include <algorithm>

#include "src/data/augmentation.hpp"
#include "src/data/loader_settings.hpp"

namespace paws::data
{
EvaluationLoader::EvaluationLoader(const Pictures& pictures, const config::Config& config,
                                   std::vector<std::int64_t> rows)
    : data_(config.data), rows_(std::move(rows))
{
    pipeline_ = std::make_unique<ViewPipeline>(pictures, pipeline_settings(config, evaluation_batch_bytes(config.data)),
                                               [this] { return plan(); });
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
    plan.tensors = {empty_views(static_cast<std::int64_t>(count), data_.eval_crop_size)};
    for (std::size_t i = 0; i < count; ++i)
    {
        plan.pictures.push_back(
            {rows_[planned_ + i], {{0, 0, view_data(plan.tensors[0], static_cast<std::int64_t>(i))}}});
    }
    planned_ += count;
    return plan;
}

std::optional<torch::Tensor> EvaluationLoader::next()
{
    const auto tensors = pipeline_->next();
    return tensors ? std::optional(channels_last(tensors->front())) : std::nullopt;
}
}  // namespace paws::data
