#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "src/checkpoint/checkpoint_writer.hpp"
#include "src/checkpoint/run_files.hpp"
#include "src/checkpoint/run_folder.hpp"
#include "src/comm/world.hpp"
#include "src/config/config.hpp"
#include "src/train/observer.hpp"
#include "src/train/trainer.hpp"

namespace paws::observers
{
/// Which checkpoints a run keeps and when: at the end of every epoch, every logging.checkpoint_minutes in between, and
/// when it stops. The first rank writes them, in a thread beside the training.
class CheckpointKeeper final : public train::Observer
{
public:
    /// `folder`: of the first rank. It, the trainer and the world outlive this. `quiet`: says nothing.
    CheckpointKeeper(const config::Logging& logging, checkpoint::RunFiles files, checkpoint::RunFolder* folder,
                     train::Trainer& trainer, const comm::World& world, bool quiet);

    /// What was evaluated before the first step is the best so far.
    void before_training(train::EpochReport& report) override;
    /// On the first rank, when the time has come and the checkpoint before is written.
    void ask(std::int64_t steps_done, train::StepRequest& request) override;
    void after_step(const train::StepReport& report) override;
    /// TAG-best too where the epoch was, and TAG-epN where it is kept.
    void after_epoch(train::EpochReport& report) override;
    /// Waits for what is being written. Throws if that was not written: then there is less to resume from than the run
    /// has reached.
    void after_training() override;
    /// How long the training has waited for copies and for earlier checkpoints, on the first rank.
    void summarise(nlohmann::json& summary) const override;

private:
    /// Collective.
    void keep(std::vector<std::filesystem::path> copies);
    void keep_best();
    void say_problem();
    void finish();
    bool is_due() const;

    config::Logging logging_;
    checkpoint::RunFiles files_;
    checkpoint::RunFolder* folder_;  ///< of the first rank
    train::Trainer& trainer_;
    const comm::World& world_;
    bool quiet_;
    std::optional<checkpoint::CheckpointWriter> writer_;  ///< of the first rank
    std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
    double slowest_copy_ = 0;
    double waited_ = 0;
};
}  // namespace paws::observers
