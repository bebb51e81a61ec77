#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace paws::session
{
/// Empty where it is not set.
std::string environment_variable(const char* name);

/// Time until SLURM ends this job; nothing outside of a job, without a limit, or where SLURM does not answer. Reads
/// SLURM_JOB_END_TIME (SLURM 23 and later), else asks squeue, which takes a few milliseconds and is given up after 5 s:
/// for one rank, since all of them at once are a burden to the cluster's controller. Never throws.
std::optional<std::chrono::seconds> seconds_until_job_ends();

/// squeue's [[days-]hours:]minutes:seconds; nothing for words such as UNLIMITED.
std::optional<std::chrono::seconds> parse_time_left(const std::string& text);
}  // namespace paws::session
