#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "src/checkpoint/checkpoint_writer.hpp"
#include "src/checkpoint/run_files.hpp"
#include "src/checkpoint/run_folder.hpp"
#include "src/config/config.hpp"
#include "src/train/trainer.hpp"

namespace paws::commands
{
/// Which checkpoints a run keeps and when: at the end of every epoch, every logging.checkpoint_minutes in between, and
/// when it stops. The first rank writes them, in a thread beside the training.
class CheckpointKeeper
{
public:
    /// `folder`: on the first rank, which writes; it outlives this.
    CheckpointKeeper(const config::Logging& logging, checkpoint::RunFiles files, checkpoint::RunFolder* folder);

    /// Whether the first rank asks for a checkpoint now: the time has come, and the one before is written.
    bool is_due() const;

    /// Collective.
    void keep_step(train::Trainer& trainer);
    /// As the best so far, before the first step; no collective yet. Throws io::Error.
    void keep_best(train::Trainer& trainer);
    /// Collective; TAG-best too where the epoch was, and TAG-epN where it is kept.
    void keep_epoch(train::Trainer& trainer);

    /// Why a checkpoint could not be written, once, on the first rank.
    std::optional<std::string> take_problem();

    /// Waits for what is being written. Throws io::Error if that was not written: then there is less to go on from than
    /// the run has reached.
    void finish();

    /// How long a checkpoint takes, copy and writing, at most so far.
    double seconds_needed() const;
    /// How long the training has waited for copies and for earlier checkpoints, on the first rank.
    double seconds_waited() const { return waited_; }

private:
    void keep(train::Trainer& trainer, std::vector<std::filesystem::path> copies);

    config::Logging logging_;
    checkpoint::RunFiles files_;
    checkpoint::RunFolder* folder_;                       ///< of the first rank
    std::optional<checkpoint::CheckpointWriter> writer_;  ///< of the first rank
    std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
    double slowest_copy_ = 0;
    double waited_ = 0;
};
}  // namespace paws::commands
