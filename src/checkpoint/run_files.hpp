#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "src/config/config.hpp"

namespace paws::checkpoint
{
/// The files of a training run in logging.folder: RUN_rR.csv of each rank R and, written by the first,
/// params-TASK.yaml, RUN-eval.csv, RUN-latest.h5 and the ones before it, RUN-latest-1.h5 and so on, RUN-best.h5,
/// RUN-epN.h5. RUN is logging.write_tag in pre-training; it is TAG-fine-tune-SNN for snn_fine_tune and TAG-fine-tune
/// for fine_tune, as published, so that their checkpoints lie beside those that they began with.
class RunFiles
{
public:
    explicit RunFiles(const config::Config& config);

    const std::filesystem::path& folder() const { return folder_; }
    /// What the names of the run's files begin with.
    const std::string& run() const { return run_; }
    std::filesystem::path csv(int rank) const;
    std::filesystem::path parameters() const;
    /// Held while the run lasts.
    std::filesystem::path lock() const;
    /// What a run resumes from; with `age` 1, 2, ... the ones before (logging.keep_last).
    std::filesystem::path latest(std::int64_t age = 0) const;
    /// Where the next one is written before it becomes the latest.
    std::filesystem::path next() const { return folder_ / (run_ + "-latest-next.h5"); }
    std::filesystem::path best() const;
    std::filesystem::path of_epoch(std::int64_t epoch) const;
    /// Where the positions of a step's images are whose loss is NaN or infinite.
    std::filesystem::path bad_step() const;

    /// The checkpoints that there are to resume from, newest first: latest by age, then those of epochs, last first.
    std::vector<std::filesystem::path> to_resume_from() const;
    /// Of logging.eval_every.
    std::filesystem::path evaluations() const { return folder_ / (run_ + "-eval.csv"); }
    /// Of logging.timings.
    std::filesystem::path timings_json() const { return folder_ / (run_ + "-timings.json"); }
    std::filesystem::path timings_h5() const { return folder_ / (run_ + "-timings.h5"); }
    /// What the published code resumes from: TAG-latest.pth.tar, TAG-fine-tune-SNN.pth.tar, TAG-fine-tune.pth.tar.
    std::filesystem::path published() const;

private:
    std::filesystem::path folder_;
    std::string run_;
    config::Task task_;
};

/// What is wrong with a checkpoint of ours, if anything is; reads all of it.
std::optional<std::string> damage_of(const std::filesystem::path& path);

/// With its parents; throws io::Error.
void make_folder(const std::filesystem::path& folder);

/// What a run resumes from, and what is to be said about it.
struct ResumeChoice
{
    std::optional<std::filesystem::path> checkpoint;  ///< none: a new run
    std::vector<std::string> notes;
};

/// resume: auto, never, or the path of a checkpoint. "auto" takes what meta.load_checkpoint asks for, else the newest
/// checkpoint of the folder that is whole, and notes the corrupt ones that it skips. Throws io::Error if there
/// are checkpoints and none is whole.
ResumeChoice checkpoint_to_resume(const config::Config& config, const RunFiles& files, const std::string& resume);
}  // namespace paws::checkpoint
