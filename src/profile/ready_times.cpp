#include "src/profile/ready_times.hpp"

#include <algorithm>

#include "io/base/seconds.hpp"
#include "src/profile/median.hpp"

namespace paws::profile
{
namespace
{
constexpr std::size_t most_steps = 256;
constexpr double never = -1;
}  // namespace

std::int64_t warm_up_steps(std::int64_t steps)
{
    return std::clamp<std::int64_t>((steps - 1) / 2, 0, 2);
}

ReadyTimes::ReadyTimes(const NamedTensors& parameters) : parameters_(parameters)
{
    step_.gradients.assign(parameters_.size(), never);
    std::vector<torch::Tensor> tensors;
    for (const auto& [name, parameter] : parameters_)
    {
        tensors.push_back(parameter);
    }
    hooks_ = comm::GradientHooks(tensors,
                                 [this](std::size_t index)
                                 {
                                     if (in_backward_)
                                     {
                                         step_.gradients[index] = io::seconds_since(backward_);
                                     }
                                 });
    nn::BatchNormObserver::active = this;
}

ReadyTimes::~ReadyTimes()
{
    nn::BatchNormObserver::active = nullptr;
}

void ReadyTimes::begin_forward()
{
    forward_ = Clock::now();
    step_.gradients.assign(parameters_.size(), never);
    step_.batch_norms.clear();
    calls_.clear();
}

void ReadyTimes::begin_backward()
{
    in_backward_ = true;
    backward_ = Clock::now();
}

void ReadyTimes::end_step()
{
    if (steps_.empty())
    {
        steps_.assign(most_steps, step_);
    }
    steps_[static_cast<std::size_t>(steps_seen_) % most_steps] = step_;
    ++steps_seen_;
}

void ReadyTimes::statistics_ready(const void* call, std::int64_t channels, std::int64_t bytes)
{
    calls_.push_back(call);
    step_.batch_norms.push_back({channels, bytes, 0, io::seconds_since(forward_), 0});
}

void ReadyTimes::sums_ready(const void* call, std::int64_t bytes)
{
    const auto found = std::find(calls_.begin(), calls_.end(), call);
    if (found != calls_.end())
    {
        auto& batch_norm = step_.batch_norms[static_cast<std::size_t>(found - calls_.begin())];
        batch_norm.bytes_backward = bytes;
        batch_norm.backward_at = io::seconds_since(backward_);
    }
}

template <class ValueOf>
double ReadyTimes::median(const ValueOf& value_of) const
{
    const auto kept = std::min(steps_seen_, static_cast<std::int64_t>(steps_.size()));
    const auto first = std::max(steps_seen_ - kept, warm_up_steps(steps_seen_));
    std::vector<double> values;
    for (auto step = first; step < steps_seen_; ++step)
    {
        if (const double value = value_of(steps_[static_cast<std::size_t>(step) % most_steps]); value >= 0)
        {
            values.push_back(value);
        }
    }
    return values.empty() ? never : profile::median(std::move(values));
}

std::vector<GradientTime> ReadyTimes::gradients() const
{
    std::vector<GradientTime> times;
    for (std::size_t i = 0; i < parameters_.size(); ++i)
    {
        const auto ready = median([&](const Step& step) { return step.gradients[i]; });
        if (ready >= 0)
        {
            const auto& [name, parameter] = parameters_[i];
            times.push_back({name, static_cast<std::int64_t>(parameter.nbytes()), ready});
        }
    }
    std::stable_sort(times.begin(), times.end(), [](const auto& a, const auto& b) { return a.ready < b.ready; });
    return times;
}

std::vector<BatchNormTime> ReadyTimes::batch_norms() const
{
    auto times = steps_seen_ == 0 ? std::vector<BatchNormTime>()
                                  : steps_[static_cast<std::size_t>(steps_seen_ - 1) % most_steps].batch_norms;
    for (std::size_t i = 0; i < times.size(); ++i)
    {
        // An epoch of another loss calls other layers.
        const auto median_of = [&](double BatchNormTime::*time)
        {
            return median([&](const Step& step)
                          { return step.batch_norms.size() == times.size() ? step.batch_norms[i].*time : never; });
        };
        times[i].forward_at = median_of(&BatchNormTime::forward_at);
        times[i].backward_at = median_of(&BatchNormTime::backward_at);
    }
    return times;
}
}  // namespace paws::profile
