#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "src/comm/communicator.hpp"
#include "src/config/config.hpp"
#include "src/data/paws_loader.hpp"
#include "src/nn/encoder.hpp"
#include "src/nn/precision.hpp"

namespace paws::train
{
/// Every method's loss has two parts, whose sum is minimised.
inline constexpr std::size_t loss_parts = 2;

/// What is learned from a batch: the part of training in which the methods differ.
class Method
{
public:
    virtual ~Method() = default;

    /// Forward and backward pass of one step: afterwards the parameters hold the gradients of the sum of the loss'
    /// parts, which are returned, 0-dimensional and of this rank's pictures. Collective.
    virtual std::array<torch::Tensor, loss_parts> forward_backward(nn::Encoder& encoder, const data::PawsBatch& batch,
                                                                   nn::Precision precision) = 0;

    /// What the published CSV files call the parts.
    virtual std::array<const char*, loss_parts> columns() const = 0;

    /// The parts, or their means, for people who watch the run.
    virtual std::string describe(const std::array<double, loss_parts>& parts) const = 0;
};

/// The method of config.task, for the mathematics of `world_size` ranks, which `communicator` connects (fewer may stand
/// for them, see data::RankShare). Throws config::Error for a task without pre-training, or when the batches of all
/// ranks leave nothing to learn from.
std::unique_ptr<Method> make_method(const config::Config& config, std::int64_t world_size,
                                    const std::shared_ptr<comm::Communicator>& communicator);
}  // namespace paws::train
