#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "src/session/stop_rule.hpp"
#include "src/session/stop_signals.hpp"
#include "src/train/observer.hpp"

namespace paws::session
{
/// What may stop a training run before its end, as one rank sees it: signals that any rank gets; time and the asked
/// number of steps, which the first rank watches for all.
class StopControl final : public train::Observer
{
public:
    /// `job_seconds`: until the job ends, where that is known. `silent`: says nothing when a signal comes.
    StopControl(const StopAfter& asked, std::optional<std::chrono::seconds> job_seconds, bool is_first, bool silent);
    ~StopControl() override;
    StopControl(const StopControl&) = delete;
    StopControl& operator=(const StopControl&) = delete;

    void before_epoch() override { last_step_ = Clock::now(); }
    /// Whether this rank wants the run to stop.
    void ask(std::int64_t steps_done, train::StepRequest& request) override;

    /// Why this rank wanted the run to stop, or that another one did.
    std::string reason() const;
    /// Whether the run ends where it was told to, and not too early.
    bool is_asked_end() const { return asked_end_; }

private:
    using Clock = TimeLimit::Clock;

    bool wants_stop(std::int64_t steps_done, double checkpoint_seconds);

    bool is_first_;
    std::shared_ptr<StopSignals> signals_;
    std::optional<std::int64_t> steps_;
    TimeLimit limit_;
    Clock::time_point last_step_ = Clock::now();
    double slowest_step_ = 0;
    std::optional<std::string> reason_;
    bool asked_end_ = false;
};
}  // namespace paws::session
