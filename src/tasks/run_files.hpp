#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "src/config/config.hpp"

namespace paws::tasks
{
/// The files of a training run in logging.folder: RUN_rR.csv of each rank R and, written by the first,
/// params-TASK.yaml, RUN-eval.csv, RUN-latest.h5, RUN-best.h5, RUN-epN.h5. RUN is logging.write_tag in pre-training; it
/// is TAG-fine-tune-SNN for snn_fine_tune and TAG-fine-tune for fine_tune, as published, so that their checkpoints lie
/// beside those that they began with.
class RunFiles
{
public:
    explicit RunFiles(const config::Config& config);

    const std::filesystem::path& folder() const { return folder_; }
    /// What the names of the run's files begin with.
    const std::string& run() const { return run_; }
    std::filesystem::path csv(int rank) const;
    std::filesystem::path evaluations() const;
    std::filesystem::path parameters() const;
    std::filesystem::path latest() const;
    std::filesystem::path best() const;
    std::filesystem::path of_epoch(std::int64_t epoch) const;
    /// What the published code goes on from: TAG-latest.pth.tar, TAG-fine-tune-SNN.pth.tar, TAG-fine-tune.pth.tar.
    std::filesystem::path published() const;

private:
    std::filesystem::path folder_;
    std::string run_;
    config::Task task_;
};

/// With its parents; throws io::Error.
void make_folder(const std::filesystem::path& folder);

/// The checkpoint to go on from, if any. resume: auto, never, or the path of a checkpoint.
std::optional<std::filesystem::path> checkpoint_to_resume(const config::Config& config, const RunFiles& files,
                                                          const std::string& resume);
}  // namespace paws::tasks
