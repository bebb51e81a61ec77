#pragma once

#include <torch/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "src/comm/gradient_hooks.hpp"
#include "src/nn/batch_norm_observer.hpp"

namespace paws::profile
{
/// How many of `steps` steps after a start are left out of summaries: two, fewer of fewer than five.
std::int64_t warm_up_steps(std::int64_t steps);

/// When the gradient of a parameter is ready, in seconds after the backward pass began.
struct GradientTime
{
    std::string name;
    std::int64_t bytes = 0;
    double ready = 0;
};

/// When a batch norm in training has what the ranks add up, in seconds after the passes began, and the bytes of it.
struct BatchNormTime
{
    std::int64_t channels = 0;
    std::int64_t bytes_forward = 0;
    std::int64_t bytes_backward = 0;
    double forward_at = 0;
    double backward_at = 0;
};

/// Takes down when the parts of a step are ready that ranks exchange, on any number of ranks. Installs a hook for each
/// parameter and is the observer of batch norms as long as it lives.
class ReadyTimes final : public nn::BatchNormObserver
{
public:
    using NamedTensors = std::vector<std::pair<std::string, torch::Tensor>>;

    explicit ReadyTimes(const NamedTensors& parameters);
    ~ReadyTimes() override;
    ReadyTimes(const ReadyTimes&) = delete;
    ReadyTimes& operator=(const ReadyTimes&) = delete;

    void begin_forward();
    void begin_backward();
    void end_backward() { in_backward_ = false; }
    /// Keeps what came since the last step's end.
    void end_step();

    /// Medians over the newest steps, those of the warm-up left out. In order of readiness; parameters that had no
    /// gradient are not among them.
    std::vector<GradientTime> gradients() const;
    /// In the order of the forward pass, a layer as often as it was called in a step.
    std::vector<BatchNormTime> batch_norms() const;

    void statistics_ready(const void* call, std::int64_t channels, std::int64_t bytes) override;
    void sums_ready(const void* call, std::int64_t bytes) override;

private:
    using Clock = std::chrono::steady_clock;

    struct Step
    {
        std::vector<double> gradients;  ///< of each parameter; negative: not ready
        std::vector<BatchNormTime> batch_norms;
    };
    /// Medians of what `value_of` finds in the steps that count, negative ones left out; negative if there is none.
    template <class ValueOf>
    double median(const ValueOf& value_of) const;

    NamedTensors parameters_;
    bool in_backward_ = false;
    Clock::time_point forward_, backward_;
    Step step_;
    std::vector<const void*> calls_;  ///< of the batch norms of this step, in their order
    /// The newest steps, in a ring whose memory is taken at once: pieces that stay, taken one by one between the
    /// tensors of a step, would keep the allocator from putting the next step's tensors in their places.
    std::vector<Step> steps_;
    std::int64_t steps_seen_ = 0;
    comm::GradientHooks hooks_;
};
}  // namespace paws::profile
