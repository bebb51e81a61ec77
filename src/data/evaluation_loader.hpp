#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "src/config/config.hpp"
#include "src/data/pictures.hpp"
#include "src/data/view_pipeline.hpp"

namespace paws::data
{
/// The views of evaluation of some pictures, in their order, data.evaluation_batch_size at a time, prepared while the
/// last ones are being used.
class EvaluationLoader
{
public:
    /// `pictures` must outlive the loader. rows: [n].
    EvaluationLoader(const Pictures& pictures, const config::Config& config, std::vector<std::int64_t> rows);

    /// float32 [up to the batch size, 3, S, S], channels-last; nothing after the last batch. Throws io::Error.
    std::optional<torch::Tensor> next();

private:
    std::optional<BatchPlan> plan();

    const config::Data data_;
    const std::vector<std::int64_t> rows_;
    std::size_t planned_ = 0;
    std::unique_ptr<ViewPipeline> pipeline_;  // its threads use all the other members
};
}  // namespace paws::data
