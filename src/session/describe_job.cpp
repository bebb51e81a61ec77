#include "src/session/describe_job.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdlib>
#include <vector>

#include "io/base/quantity.hpp"
#include "src/session/job_limits.hpp"

namespace paws::session
{
namespace
{
/// 0 where the variable is absent or not a number.
std::int64_t number(const char* name)
{
    return std::strtoll(environment_variable(name).c_str(), nullptr, 10);
}

std::string duration(std::chrono::seconds time)
{
    const auto minutes = time.count() / 60;
    return minutes < 2    ? fmt::format("{} s", time.count())
           : minutes < 60 ? fmt::format("{} min", minutes)
                          : fmt::format("{} h {} min", minutes / 60, minutes % 60);
}

std::string note(const std::string& text)
{
    return fmt::format("note            {}\n", text);
}

/// Each is a mistake of job scripts that otherwise shows as slowness only.
std::string notes_on_job(const JobPlace& place)
{
    std::string text;
    const auto job_nodes = number("SLURM_JOB_NUM_NODES"), step_nodes = number("SLURM_STEP_NUM_NODES");
    const auto cores = number("SLURM_CPUS_PER_TASK");
    const bool in_step = !environment_variable("SLURM_STEP_ID").empty();
    if (in_step && step_nodes > 0 && step_nodes < job_nodes)
    {
        text += note(fmt::format("the job has {} nodes, of which srun uses {}", job_nodes, step_nodes));
    }
    if (!in_step && place.ranks == 1 && number("SLURM_NTASKS") > 1)
    {
        text += note(fmt::format("the job has {} tasks, but this is one process; start it with srun --mpi=pmix",
                                 number("SLURM_NTASKS")));
    }
    if (in_step && cores > place.usable_cores)
    {
        text +=
            note(fmt::format("the job has {} cores for each task, but a rank may use {}; give srun --cpus-per-task, "
                             "which it no longer takes from sbatch (SLURM 22.05 and later)",
                             cores, place.usable_cores));
    }
    if (number("SLURM_GPUS_ON_NODE") > 0 && !place.uses_gpus)
    {
        text += note(fmt::format("the job has {} on each node, but this run computes on the CPU",
                                 io::plural(number("SLURM_GPUS_ON_NODE"), "GPU")));
    }
    return text;
}
}  // namespace

std::string describe_job(const JobPlace& place)
{
    if (environment_variable("SLURM_JOB_ID").empty())
    {
        return "";
    }
    std::vector<std::string> parts{fmt::format("SLURM {}", environment_variable("SLURM_JOB_ID"))};
    const auto add = [&](const char* name, const auto& describe)
    {
        if (!environment_variable(name).empty())
        {
            parts.push_back(describe(environment_variable(name)));
        }
    };
    add("SLURM_JOB_PARTITION", [](const auto& value) { return "partition " + value; });
    add("SLURM_RESTART_COUNT", [](const auto& value) { return "requeued " + value + "×"; });
    add("SLURM_JOB_NUM_NODES",
        [](const auto&)
        {
            return fmt::format("{} ({})", io::plural(number("SLURM_JOB_NUM_NODES"), "node"),
                               environment_variable("SLURM_JOB_NODELIST"));
        });
    add("SLURM_TASKS_PER_NODE", [](const auto& value) { return "tasks per node " + value; });
    add("SLURM_CPUS_PER_TASK",
        [](const auto&) { return io::plural(number("SLURM_CPUS_PER_TASK"), "core") + " per task"; });
    add("SLURM_GPUS_ON_NODE",
        [](const auto&) { return io::plural(number("SLURM_GPUS_ON_NODE"), "GPU") + " per node"; });
    add("SLURM_MEM_PER_NODE", [](const auto&)
        { return fmt::format("{:.1f} GiB per node", static_cast<double>(number("SLURM_MEM_PER_NODE")) / 1024); });
    parts.push_back(place.until_end ? "ends in " + duration(*place.until_end) : "no time limit known");
    return fmt::format("job             {}\n", fmt::join(parts, ", ")) + notes_on_job(place);
}
}  // namespace paws::session
