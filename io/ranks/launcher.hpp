#pragma once

#include <string>

namespace paws::ranks
{
/// What the program that started this process says in the environment, with or without MPI.
struct Launcher
{
    std::string name;    ///< the variable that says so
    int world_size = 1;  ///< 1 where nothing is said
    int rank = 0;

    bool is_first() const { return rank == 0; }
};

/// Asks mpirun's and mpiexec's variables before those of SLURM, inside of whose jobs they may run.
Launcher launcher_of_environment();

/// What is wrong where the launcher has started several processes and MPI sees one: each would do the whole work, and
/// write the same files. Empty if nothing is.
std::string launcher_confusion(const Launcher& launcher, int mpi_world_size);

/// What to say if MPI ends the process instead of starting: srun has started it without PMIx, which most builds of MPI
/// need. Empty where the environment shows no such thing, and for all processes but the first.
std::string words_if_mpi_does_not_start();
}  // namespace paws::ranks
