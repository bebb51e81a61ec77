#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "io/checkpoint/checkpoint_file.hpp"

namespace paws::checkpoint
{
/// A checkpoint on its way to the disk, and the names it gets there.
struct CheckpointJob
{
    io::Checkpoint content;
    std::filesystem::path latest;
    /// Where what is at `latest` goes, and what is there goes to the next; the last one goes.
    std::vector<std::filesystem::path> older;
    /// Further names of the same checkpoint.
    std::vector<std::filesystem::path> copies;
    /// Asked before anything is written, and when that failed: makes the folder if it is not there any more, and gives
    /// whether it was not. Throws io::Error. None: the folder stays.
    std::function<bool()> restore_folder = nullptr;
};

/// Writes checkpoints in a thread of its own while training continues. A checkpoint that cannot be written is a problem
/// to report, and leaves those that are there.
class CheckpointWriter
{
public:
    CheckpointWriter();
    /// Waits for what is being written.
    ~CheckpointWriter();
    CheckpointWriter(const CheckpointWriter&) = delete;
    CheckpointWriter& operator=(const CheckpointWriter&) = delete;

    bool is_busy() const;
    /// Waits for the job before, if it is still being written.
    void submit(CheckpointJob job);
    /// Waits for the last job.
    void wait();

    /// The memory of a checkpoint that has been written, to be filled again: fresh memory costs more than the copy.
    io::Checkpoint recycled();

    /// Why the last job failed, until it is asked for.
    std::optional<std::string> take_problem();
    bool last_failed() const;
    /// The longest that a job has taken.
    double slowest_seconds() const;

private:
    void run();

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<CheckpointJob> job_;  ///< waiting or being written
    io::Checkpoint recycled_;
    std::optional<std::string> problem_;
    bool last_failed_ = false;
    double slowest_ = 0;
    bool ends_ = false;
    std::thread thread_;  ///< after what it uses
};

/// What the writer's thread does; a checkpoint whose folder goes while it is written is written once more. Throws
/// io::Error if there is too little room, or something cannot be written.
void write_job(const CheckpointJob& job);
}  // namespace paws::checkpoint
