#include "io/files/staging.hpp"

#include <cstdlib>

#include "io/files/read_file.hpp"
#include "io/ranks/agreed.hpp"
#include "io/ranks/node.hpp"

namespace paws::io
{
namespace
{
namespace fs = std::filesystem;

/// How it went on one node, which its lowest rank finds out. Exactly one is set.
struct Outcome
{
    std::string copy;    // its path
    std::string hurdle;  // why there is none, but the file is read where it is
    bool reused = false;
};

fs::path folder_of_node()
{
    for (const char* variable : {"SLURM_TMPDIR", "TMPDIR"})
    {
        const char* folder = std::getenv(variable);
        if (folder != nullptr && *folder != '\0')
        {
            return folder;
        }
    }
    throw NoLocalCopy("neither SLURM_TMPDIR nor TMPDIR names a folder of the node; set one, or data.scratch");
}

Outcome copy_here(const fs::path& file, const fs::path& folder, const CopyProgress& progress,
                  const FreeSpace& free_space_of)
{
    Outcome outcome;
    try
    {
        require_file(file);
        const LocalCopy copy =
            copy_to_folder(file, folder.empty() ? folder_of_node() : folder, progress, free_space_of);
        outcome.copy = copy.path.string();
        outcome.reused = copy.reused;
    }
    catch (const NoLocalCopy& refused)
    {
        outcome.hurdle = refused.what();
    }
    return outcome;
}

std::string note_on(const fs::path& file, const Outcome& mine, bool leads, const ranks::Group& all)
{
    const int nodes = all.reduce(leads ? 1 : 0, MPI_SUM);
    const int without = all.reduce(leads && !mine.hurdle.empty() ? 1 : 0, MPI_SUM);
    const int reused = all.reduce(leads && mine.reused ? 1 : 0, MPI_SUM);
    const std::string hurdle = all.first_text(leads ? mine.hurdle : std::string());
    const std::string copy = all.first_text(leads ? mine.copy : std::string());
    const auto of_nodes = [&](int number) {
        return nodes == 1 ? std::string() : " on " + std::to_string(number) + " of " + std::to_string(nodes) + " nodes";
    };
    if (without > 0)
    {
        return file.string() + ": not copied" + of_nodes(without) + ", read where it is: " + hurdle;
    }
    return file.string() + ": read from " + copy +
           (reused == nodes ? ", which was there before" : ", copied" + of_nodes(nodes - reused));
}
}  // namespace

StagingReport stage_file(const std::filesystem::path& file, const std::filesystem::path& folder, MPI_Comm comm,
                         const CopyProgress& progress, const StagingOptions& options)
{
    const ranks::Group all(comm);
    const ranks::Node node(all, options.node);
    const bool leads = node.ranks().is_first();
    const auto outcome =
        agreed(all, [&] { return leads ? copy_here(file, folder, progress, options.free_space_of) : Outcome(); });
    const std::string copy = node.ranks().broadcast(outcome.copy);
    StagingReport report;
    report.staged = !copy.empty();
    report.path = report.staged ? fs::path(copy) : file;
    report.note = note_on(file, outcome, leads, all);
    return report;
}
}  // namespace paws::io
