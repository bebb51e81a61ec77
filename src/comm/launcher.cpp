#include "src/comm/launcher.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdlib>

namespace paws::comm
{
namespace
{
struct Variables
{
    const char* world_size;
    const char* rank;
};

constexpr std::array known{Variables{"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"}, Variables{"PMI_SIZE", "PMI_RANK"},
                           // Of srun's steps only: a batch script has SLURM_NTASKS too, and is one process.
                           Variables{"SLURM_STEP_NUM_TASKS", "SLURM_PROCID"}};
}  // namespace

Launcher launcher_of_environment()
{
    for (const auto& variables : known)
    {
        const char* const size = std::getenv(variables.world_size);
        const char* const rank = std::getenv(variables.rank);
        if (size != nullptr && rank != nullptr)
        {
            return {variables.world_size, std::atoi(size), std::atoi(rank)};
        }
    }
    return {};
}

std::string launcher_confusion(const Launcher& launcher, int mpi_world_size)
{
    if (mpi_world_size > 1 || launcher.world_size <= 1)
    {
        return "";
    }
    return fmt::format(
        "the launcher started {} processes ({}), but MPI sees one: it is not the launcher of the MPI library that "
        "paws_hpc was built with; use that library's mpirun, or under SLURM srun --mpi=pmix (srun --mpi=list shows "
        "what "
        "there is)",
        launcher.world_size, launcher.name);
}
}  // namespace paws::comm
