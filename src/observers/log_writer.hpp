#pragma once

#include <functional>
#include <memory>

#include "src/checkpoint/run_folder.hpp"
#include "src/logging/run_log.hpp"
#include "src/train/observer.hpp"

namespace paws::observers
{
/// Writes the logs of a run: a line every logging.log_every steps, and one for each evaluation. That one cannot be
/// written, on a full disk say, is no reason to lose the run.
class LogWriter final : public train::Observer
{
public:
    /// `folder`: of the first rank, which says for all that something was not written; outlives this. `quiet`: says
    /// nothing.
    LogWriter(std::unique_ptr<logging::RunLog> log, std::int64_t log_every, checkpoint::RunFolder* folder, bool quiet);

    void before_training(train::EpochReport& report) override;
    void after_step(const train::StepReport& report) override;
    void after_epoch(train::EpochReport& report) override;
    void summarise(nlohmann::json& summary) const override;

    /// Makes the folder again where it is gone, before something else is written there.
    void restore_folder();

private:
    void write_evaluation(const train::EpochReport& report);
    void write(const std::function<void()>& lines);
    void say_notes();

    std::unique_ptr<logging::RunLog> log_;
    std::int64_t log_every_;
    checkpoint::RunFolder* folder_;  ///< of the first rank
    bool quiet_;
    bool is_whole_ = true;
};
}  // namespace paws::observers
