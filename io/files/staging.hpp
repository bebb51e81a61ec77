#pragma once

// Data on the nodes' own disks: the published `copy_data`.

#include <mpi.h>

#include <filesystem>
#include <optional>
#include <string>

#include "io/files/local_copy.hpp"

namespace paws::io
{
struct StagingReport
{
    std::filesystem::path path;  ///< where this rank reads: the copy, or the file itself
    bool staged = false;         ///< whether that is a copy
    std::string note;            ///< one line for the log, the same on every rank
};

struct StagingOptions
{
    FreeSpace free_space_of = free_space;
    /// Ranks with the same number count as one node; without, those that share memory do. All ranks give one or none.
    std::optional<int> node = {};
};

/// Copies `file` to the nodes' own disks, once a node: one rank of each node copies, or finds a copy that is whole, and
/// the others sleep. Collective over `comm`. See copy_to_folder for the copy, which stays there for the next run.
/// `folder`: where to; if empty, $SLURM_TMPDIR, or else $TMPDIR. `progress` is called on the ranks that copy.
///
/// Where there can be no copy (no such folder, too little space, a failure midway), the ranks of that node read the
/// file where it is, and the note says why. Throws BadInput, the same on every rank of every node, if the file is
/// missing on one, is damaged, or changes meanwhile.
StagingReport stage_file(const std::filesystem::path& file, const std::filesystem::path& folder, MPI_Comm comm,
                         const CopyProgress& progress = {}, const StagingOptions& options = {});
}  // namespace paws::io
