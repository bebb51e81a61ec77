#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace paws::session
{
/// What this process has of the job that it runs in.
struct JobPlace
{
    std::int64_t ranks = 1;
    std::int64_t usable_cores = 1;  ///< of the first rank
    bool uses_gpus = false;
    std::optional<std::chrono::seconds> until_end;  ///< see seconds_until_job_ends
};

/// What SLURM's variables say of the job (number, nodes, tasks, cores, GPUs, memory, time) as a line of the table at
/// the start of a run, followed by notes on what does not fit together: allocated nodes, GPUs or cores that the run
/// does not use. Empty outside of a job.
std::string describe_job(const JobPlace& place);
}  // namespace paws::session
