#pragma once

#include <torch/types.h>

#include <optional>
#include <set>
#include <string>

#include "src/data/batch_plan.hpp"
#include "src/data/view_source.hpp"

namespace paws::data
{
/// Makes the views where the images lie: on a GPU, by kernels on LibTorch's current stream, for which the host only
/// says which views it wants. On a CPU they are made by all threads while next() is called.
class ResidentViews : public ViewSource
{
public:
    /// pixels: uint8 [Q, H, W, 3], of which row r is r mod Q; reuse: the views of the first batch serve for all.
    ResidentViews(torch::Tensor pixels, bool reuse, NextPlan next_plan);

    std::optional<ViewBatch> next() override;

    /// Nobody waits for anybody, and no thread makes views.
    double seconds_waited() const override { return 0; }
    double seconds_making() const override { return 0; }
    std::set<std::string> corrupt() const override { return {}; }

private:
    ViewBatch make(const BatchPlan& plan) const;

    const torch::Tensor pixels_;
    const bool reuse_;
    NextPlan next_plan_;
    bool planned_all_ = false;
    std::optional<ViewBatch> reused_;
};
}  // namespace paws::data
