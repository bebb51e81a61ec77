#pragma once

#include <functional>
#include <optional>
#include <string>

#include "src/checkpoint/run_files.hpp"
#include "src/comm/world.hpp"
#include "src/config/config.hpp"
#include "src/device/precision.hpp"
#include "src/profile/ready_times.hpp"
#include "src/profile/step_timings.hpp"
#include "src/profile/timing_table.hpp"
#include "src/train/trainer.hpp"

namespace paws::commands
{
/// Where the time of this start's steps goes (logging.timings): TAG-timings.json for people and models, TAG-timings.h5
/// with every step. Each rank takes its own times down while it lives, and the first one writes those of all.
class RunTimings
{
public:
    /// Collective.
    RunTimings(const config::Config& config, const checkpoint::RunFiles& files, train::Trainer& trainer,
               device::Precision precision, const comm::World& world);

    /// After a step, before the checkpoint that it may lead to.
    void on_step(const train::StepReport& report);

    /// Collective, between steps: gathers what is new and writes both files. `before_files`: called before they are
    /// written, where they are; may throw io::Error. What was wrong with that, on the first rank: no reason to lose a
    /// run.
    std::optional<std::string> write(const std::function<void()>& before_files = [] {});

    /// Whether there are files of this start, on the first rank.
    bool is_written() const { return is_written_; }

private:
    nlohmann::ordered_json content(const std::vector<profile::GradientTime>& gradients,
                                   const std::vector<profile::BatchNormTime>& layers) const;
    void write_files() const;

    const config::Config& config_;
    const checkpoint::RunFiles& files_;
    train::Trainer& trainer_;
    device::Precision precision_;
    const comm::World& world_;
    std::vector<std::string> hosts_;
    profile::StepTimings timings_;
    std::optional<profile::ReadyTimes> ready_;  ///< of the first rank
    profile::TimingTable table_;
    bool is_written_ = false;
};
}  // namespace paws::commands
