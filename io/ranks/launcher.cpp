#include "io/ranks/launcher.hpp"

#include <array>
#include <cstdlib>

namespace paws::ranks
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
    return "the launcher started " + std::to_string(launcher.world_size) + " processes (" + launcher.name +
           "), but MPI sees one: it is not the launcher of the MPI library that paws_hpc was built with; use that "
           "library's mpirun, or under SLURM srun --mpi=pmix (srun --mpi=list shows what there is)";
}

std::string words_if_mpi_does_not_start()
{
    const char* const rank = std::getenv("SLURM_PROCID");
    const bool is_first_of_step = std::getenv("SLURM_STEP_ID") != nullptr && rank != nullptr && std::atoi(rank) == 0;
    if (!is_first_of_step || std::getenv("PMIX_RANK") != nullptr)
    {
        return "";
    }
    return "paws_hpc: MPI did not start: srun did not offer it PMIx; use srun --mpi=pmix (srun --mpi=list shows what "
           "there is), or mpirun inside of the job";
}
}  // namespace paws::ranks
