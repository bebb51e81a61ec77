#pragma once

#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "src/config/config.hpp"
#include "src/data/batch_plan.hpp"
#include "src/data/images.hpp"
#include "src/data/view_source.hpp"

namespace paws::data
{
/// The views of evaluation of some images, in their order, data.evaluation_batch_size at a time, prepared while the
/// last ones are being used, or where the network is.
class EvaluationLoader
{
public:
    /// `images` must outlive the loader, whose batches lie on `device`. rows: [n]. Throws config::Error when
    /// data.augment_on cannot be.
    EvaluationLoader(const Images& images, const config::Config& config, std::vector<std::int64_t> rows,
                     torch::Device device = torch::kCPU);

    /// float32 [up to the batch size, 3, S, S], channels-last; nothing after the last batch. Throws io::Error.
    std::optional<torch::Tensor> next();

private:
    std::optional<BatchPlan> plan();

    const config::Data data_;
    const std::vector<std::int64_t> rows_;
    std::size_t planned_ = 0;
    std::unique_ptr<ViewSource> source_;  // its threads use all the other members
};
}  // namespace paws::data
