#include "src/session/stop_control.hpp"

#include <algorithm>

namespace paws::session
{
StopControl::StopControl(const StopAfter& asked, std::optional<std::chrono::seconds> job_seconds, bool is_first,
                         bool silent)
    : is_first_(is_first),
      signals_(StopSignals::of_process()),
      steps_(asked.steps),
      limit_(TimeLimit::of(asked, Clock::now(), job_seconds))
{
    if (!silent)
    {
        signals_->announce(true);
    }
}

StopControl::~StopControl()
{
    // There is nothing left to stop.
    signals_->announce(false);
}

void StopControl::ask(std::int64_t steps_done, train::StepRequest& request)
{
    request.stop = wants_stop(steps_done, request.checkpoint_seconds);
}

bool StopControl::wants_stop(std::int64_t steps_done, double checkpoint_seconds)
{
    const auto now = Clock::now();
    slowest_step_ = std::max(slowest_step_, std::chrono::duration<double>(now - last_step_).count());
    last_step_ = now;
    if (const int signal = signals_->received())
    {
        reason_ = signal_name(signal);
        return true;
    }
    if (!is_first_)
    {
        return false;
    }
    asked_end_ = steps_ && steps_done >= *steps_;
    reason_ =
        asked_end_ ? std::optional<std::string>("--stop-after") : limit_.reason(slowest_step_, checkpoint_seconds, now);
    return reason_.has_value();
}

std::string StopControl::reason() const
{
    return reason_.value_or("a signal to another rank");
}
}  // namespace paws::session
