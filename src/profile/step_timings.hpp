#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "src/comm/communicator.hpp"
#include "src/profile/phase.hpp"
#include "src/profile/ready_times.hpp"

namespace paws::profile
{
/// What the time of a step is divided into, in the order of the files.
enum class StepPhase : std::size_t
{
    data_wait,
    augmentation,  ///< beside the step, no part of it: what the loader's threads spent on its views, all together
    forward,
    loss,
    backward,
    communication,  ///< that nothing hides: waiting in collective calls, taken out of the phases that made them
    update,
    checkpoint,
    other  ///< of the step, what is in no phase
};

inline constexpr std::array step_phase_names{"data_wait",     "augmentation", "forward",    "loss", "backward",
                                             "communication", "update",       "checkpoint", "other"};
inline constexpr std::size_t step_phases = step_phase_names.size();

constexpr bool is_overlapped(std::size_t phase)
{
    return phase == static_cast<std::size_t>(StepPhase::augmentation);
}

/// A step of one rank, in seconds.
struct StepTiming
{
    std::int64_t epoch = 0;  ///< from 1
    std::int64_t step = 0;   ///< of the epoch, from 0
    double total = 0;        ///< the sum of the phases but the overlapped one
    std::array<double, step_phases> phases{};

    double& operator[](StepPhase phase) { return phases[static_cast<std::size_t>(phase)]; }
};

/// Takes down the steps of this rank by the clock of its host: reads it where phases begin and end, waits for nothing.
/// Collective calls are told apart by Communicator::seconds_waiting. While it lives it is the observer of phases.
class StepTimings final : public PhaseObserver
{
public:
    using Clock = std::chrono::steady_clock;

    explicit StepTimings(std::shared_ptr<comm::Communicator> communicator);
    ~StepTimings() override;
    StepTimings(const StepTimings&) = delete;
    StepTimings& operator=(const StepTimings&) = delete;

    /// "step" is the whole; a checkpoint between steps belongs to the step before it.
    void enter(const std::string& phase) override;
    void leave(const std::string& phase) override;

    /// Names the step that has come so far; one that is never named, as the attempt after an epoch's last, is dropped.
    void name_step(std::int64_t epoch, std::int64_t step, double augmentation_seconds);

    /// To be told where the passes of a step begin and end; must outlive this or be taken back with null.
    void note_ready_times(ReadyTimes* ready) { ready_ = ready; }

    /// Those since the last call.
    std::vector<StepTiming> take_steps();

private:
    struct Reading
    {
        Clock::time_point time;
        double waiting = 0;  ///< Communicator::seconds_waiting
    };
    Reading now() const { return {Clock::now(), communicator_->seconds_waiting()}; }
    void end_step(const Reading& end);

    std::shared_ptr<comm::Communicator> communicator_;
    ReadyTimes* ready_ = nullptr;
    Reading step_begin_, phase_begin_;
    bool in_step_ = false;
    bool is_named_ = false;
    StepTiming step_;
    std::vector<StepTiming> done_;
};
}  // namespace paws::profile
