#pragma once

#include <optional>
#include <string>

#include "src/checkpoint/run_files.hpp"
#include "src/checkpoint/run_folder.hpp"
#include "src/comm/world.hpp"
#include "src/config/config.hpp"
#include "src/device/precision.hpp"
#include "src/profile/ready_times.hpp"
#include "src/profile/step_timings.hpp"
#include "src/profile/timing_table.hpp"
#include "src/train/observer.hpp"
#include "src/train/trainer.hpp"

namespace paws::observers
{
/// Where the time of this start's steps goes (logging.timings): TAG-timings.json for readers and models, TAG-timings.h5
/// with every step. Each rank takes its own times down while it lives, and the first one writes those of all.
class RunTimings final : public train::Observer
{
public:
    /// Collective. `folder`: of the first rank, which writes. `speaks`: says what could not be written.
    RunTimings(const config::Config& config, const checkpoint::RunFiles& files, checkpoint::RunFolder* folder,
               train::Trainer& trainer, device::Precision precision, const comm::World& world, bool speaks);

    void after_step(const train::StepReport& report) override;
    void after_epoch(train::EpochReport& report) override;
    void after_training() override { write(); }
    void summarise(nlohmann::json& summary) const override;

private:
    /// Collective: gathers what is new and writes both files. What goes wrong with that is no reason to lose a run.
    void write();
    nlohmann::ordered_json content(const std::vector<profile::GradientTime>& gradients,
                                   const std::vector<profile::BatchNormTime>& layers) const;
    void write_files() const;

    const config::Config& config_;
    const checkpoint::RunFiles& files_;
    checkpoint::RunFolder* folder_;
    train::Trainer& trainer_;
    device::Precision precision_;
    const comm::World& world_;
    bool speaks_;
    std::vector<std::string> hosts_;
    profile::StepTimings timings_;
    std::optional<profile::ReadyTimes> ready_;  ///< of the first rank
    profile::TimingTable table_;
    bool is_written_ = false;  ///< by this start, on the first rank
    bool has_failed_ = false;  ///< the last time
};
}  // namespace paws::observers
