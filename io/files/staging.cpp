#include "io/files/staging.hpp"

#include <cstdlib>

#include "io/files/read_file.hpp"
#include "io/ranks/mpi_call.hpp"
#include "io/ranks/rank_group.hpp"

namespace paws::io
{
namespace
{
namespace fs = std::filesystem;

/// The ranks of this node, of which the lowest leads.
class Node
{
public:
    Node(const RankGroup& all, std::optional<int> number) : comm_(split(all, number)), ranks_(comm_) {}
    ~Node() { MPI_Comm_free(&comm_); }
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;

    bool is_leader() const { return ranks_.is_first(); }
    const RankGroup& ranks() const { return ranks_; }

private:
    static MPI_Comm split(const RankGroup& all, std::optional<int> number)
    {
        MPI_Comm comm = MPI_COMM_NULL;
        if (number)
        {
            check_mpi(MPI_Comm_split(all.comm(), *number, all.rank(), &comm), "MPI_Comm_split");
        }
        else
        {
            check_mpi(MPI_Comm_split_type(all.comm(), MPI_COMM_TYPE_SHARED, all.rank(), MPI_INFO_NULL, &comm),
                      "MPI_Comm_split_type");
        }
        return comm;
    }

    MPI_Comm comm_;
    RankGroup ranks_;
};

/// How it went on one node, which its leader finds out. Exactly one is set.
struct Outcome
{
    std::string copy;    // its path
    std::string hurdle;  // why there is none, but the file is read where it is
    std::string error;   // why nothing can be read
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

/// Throws nothing: the others wait for the outcome.
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
    catch (const std::exception& error)
    {
        outcome.error = error.what();
    }
    return outcome;
}

std::string note_on(const fs::path& file, const Outcome& mine, bool leads, const RankGroup& all)
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
    const RankGroup all(comm);
    const Node node(all, options.node);
    Outcome outcome;
    if (node.is_leader())
    {
        outcome = copy_here(file, folder, progress, options.free_space_of);
    }
    all.low_cpu_barrier();
    all.refuse_if_any(outcome.error);
    const std::string copy = node.ranks().broadcast(outcome.copy);
    StagingReport report;
    report.staged = !copy.empty();
    report.path = report.staged ? fs::path(copy) : file;
    report.note = note_on(file, outcome, node.is_leader(), all);
    return report;
}
}  // namespace paws::io
