#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "src/comm/communicator.hpp"

namespace paws::comm
{
struct ReducerSettings
{
    /// A bucket is reduced when it is full: large ones use the links well, small ones start early.
    std::int64_t bucket_bytes = std::int64_t{8} << 20;
    /// The type that gradients travel in: their own, or bfloat16 or float16, which halves what is sent and rounds it.
    std::optional<c10::ScalarType> wire_type;
};

/// Makes gradients the means over all ranks, bucket after bucket, while the backward pass still runs: autograd calls a
/// hook for each parameter whose gradient is ready. Buckets are filled in the order in which the first backward pass
/// had gradients ready on rank 0, and reduced in the same order on every rank.
///
///     reducer.start();
///     loss.backward();
///     reducer.finish();
///
/// A parameter without a gradient on this rank counts as one of zeros.
class GradientReducer
{
public:
    using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

    /// `parameters` require gradients, are of one type, and are the same on all ranks. Installs the hooks, which are
    /// gone with this object.
    GradientReducer(const NamedTensors& parameters, std::shared_ptr<Communicator> communicator,
                    const ReducerSettings& settings);
    ~GradientReducer();
    GradientReducer(const GradientReducer&) = delete;
    GradientReducer& operator=(const GradientReducer&) = delete;

    /// Before a backward pass, when gradients are undefined.
    void start();
    /// After it: waits for what is still under way. Throws Error.
    void finish();

    std::int64_t bucket_count() const;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};
}  // namespace paws::comm
