#pragma once

#include <torch/types.h>

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace paws::data
{
/// A batch as it was planned, on the device that it is for.
struct ViewBatch
{
    std::vector<torch::Tensor> views;  ///< of each kind: float32 [count, 3, size, size], channels-last
    torch::Tensor classes;             ///< int64 [n]; undefined where the plan has none
};

/// Makes the batches of a sequence of plans, in their order. A batch's values depend on its plan alone: not on timing,
/// nor on who makes them.
class ViewSource
{
public:
    virtual ~ViewSource() = default;

    /// The next batch, nothing after the last one. Rethrows what went wrong while preparing it: a corrupt image
    /// (io::Error that names it), a failed plan. On a GPU the batch is in the making on LibTorch's current stream.
    virtual std::optional<ViewBatch> next() = 0;

    /// Seconds that next() has waited for others to prepare batches.
    virtual double seconds_waited() const = 0;

    /// What threads have spent on decoding and augmenting the batch that next() gave last, all together.
    virtual double seconds_making() const = 0;

    /// What was said of the images that were replaced, each once.
    virtual std::set<std::string> corrupt() const = 0;
};
}  // namespace paws::data
