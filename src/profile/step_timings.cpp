#include "src/profile/step_timings.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace paws::profile
{
namespace
{
double seconds_between(StepTimings::Clock::time_point begin, StepTimings::Clock::time_point end)
{
    return std::chrono::duration<double>(end - begin).count();
}

/// Of the regions that Phase names; none for those that count as `other`.
std::optional<StepPhase> phase_of_region(const std::string& name)
{
    if (name == "data wait")
    {
        return StepPhase::data_wait;
    }
    const auto* const found = std::find(step_phase_names.begin(), step_phase_names.end(), name);
    return found == step_phase_names.end() ? std::nullopt : std::optional(StepPhase(found - step_phase_names.begin()));
}
}  // namespace

StepTimings::StepTimings(std::shared_ptr<comm::Communicator> communicator) : communicator_(std::move(communicator))
{
    PhaseObserver::active = this;
}

StepTimings::~StepTimings()
{
    PhaseObserver::active = nullptr;
}

void StepTimings::enter(const std::string& phase)
{
    if (phase == "step")
    {
        in_step_ = true;
        is_named_ = false;
        step_ = {};
        step_begin_ = now();
        return;
    }
    if (ready_ && phase == "forward")
    {
        ready_->begin_forward();
    }
    if (ready_ && phase == "backward")
    {
        ready_->begin_backward();
    }
    phase_begin_ = now();
}

void StepTimings::leave(const std::string& phase)
{
    const auto end = now();
    if (phase == "step")
    {
        end_step(end);
        return;
    }
    if (ready_ && phase == "backward")
    {
        ready_->end_backward();
    }
    const auto which = phase_of_region(phase);
    const auto waiting = end.waiting - phase_begin_.waiting;
    const auto seconds = seconds_between(phase_begin_.time, end.time);
    if (in_step_ && which)
    {
        step_[*which] += seconds - waiting;
    }
    else if (!in_step_ && which == StepPhase::checkpoint && !done_.empty())
    {
        auto& last = done_.back();
        last[StepPhase::checkpoint] += seconds - waiting;
        last[StepPhase::communication] += waiting;
        last.total += seconds;
    }
}

void StepTimings::end_step(const Reading& end)
{
    in_step_ = false;
    if (!is_named_)
    {
        return;
    }
    step_.total = seconds_between(step_begin_.time, end.time);
    step_[StepPhase::communication] = end.waiting - step_begin_.waiting;
    double in_phases = 0;
    for (std::size_t phase = 0; phase < step_phases; ++phase)
    {
        in_phases += is_overlapped(phase) ? 0 : step_.phases[phase];
    }
    step_[StepPhase::other] = step_.total - in_phases;
    done_.push_back(step_);
    if (ready_)
    {
        ready_->end_step();
    }
}

void StepTimings::name_step(std::int64_t epoch, std::int64_t step, double augmentation_seconds)
{
    is_named_ = true;
    step_.epoch = epoch;
    step_.step = step;
    step_[StepPhase::augmentation] = augmentation_seconds;
}

std::vector<StepTiming> StepTimings::take_steps()
{
    return std::exchange(done_, {});
}
}  // namespace paws::profile
