#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "src/commands/summary.hpp"

namespace paws::commands
{
/// What was found of one thing that runs need.
struct Finding
{
    enum class Verdict
    {
        fine,
        slows,   ///< a run works, but slower or with less than there could be
        hinders  ///< a run would not work
    };

    std::string what;  ///< "cores"
    std::string text;  ///< what there is, and what a run does with it
    Verdict verdict = Verdict::fine;
    std::string remedy;  ///< where it is not fine
};

/// A folder that runs write to: whether files can be made and locked there, and how much space it has.
Finding examine_folder(const std::string& what, const std::filesystem::path& folder);

/// The folder of the node's own disk, $SLURM_TMPDIR or $TMPDIR, and what `copy_data` does with it.
Finding examine_scratch();

/// All that runs need of this machine, in the order in which it is printed. Kokkos need not have been started.
std::vector<Finding> examine_machine();

/// "fine     cores           2 of 2; a single rank computes with 2 threads".
std::string format_finding(const Finding& finding);

/// Prints the findings, a line each. Throws config::Error, which names them, if some hinder runs.
Summary doctor();
}  // namespace paws::commands
