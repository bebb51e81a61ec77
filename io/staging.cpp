#include "io/staging.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "io/mpi_call.hpp"
#include "io/read_file.hpp"

namespace paws::io
{
namespace
{
namespace fs = std::filesystem;

struct Group
{
    explicit Group(MPI_Comm from) : comm(from)
    {
        check_mpi(MPI_Comm_rank(comm, &rank), "MPI_Comm_rank");
        check_mpi(MPI_Comm_size(comm, &size), "MPI_Comm_size");
    }

    MPI_Comm comm = MPI_COMM_NULL;
    int rank = 0;
    int size = 0;
};

/// The ranks of this node, of which the lowest leads.
class Node : public Group
{
public:
    Node(const Group& all, std::optional<int> number) : Group(split(all, number)) {}
    ~Node() { MPI_Comm_free(&comm); }
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;

    bool is_leader() const { return rank == 0; }

private:
    static MPI_Comm split(const Group& all, std::optional<int> number)
    {
        MPI_Comm comm = MPI_COMM_NULL;
        if (number)
        {
            check_mpi(MPI_Comm_split(all.comm, *number, all.rank, &comm), "MPI_Comm_split");
        }
        else
        {
            check_mpi(MPI_Comm_split_type(all.comm, MPI_COMM_TYPE_SHARED, all.rank, MPI_INFO_NULL, &comm),
                      "MPI_Comm_split_type");
        }
        return comm;
    }
};

/// A barrier for minutes. MPI's own waiting takes a core per rank, which the copying rank and other jobs have use for.
void sleep_until_all_are_here(const Group& group)
{
    MPI_Request request = MPI_REQUEST_NULL;
    check_mpi(MPI_Ibarrier(group.comm, &request), "MPI_Ibarrier");
    int done = 0;
    for (auto pause = std::chrono::milliseconds(1);; pause = std::min(pause * 2, std::chrono::milliseconds(100)))
    {
        check_mpi(MPI_Test(&request, &done, MPI_STATUS_IGNORE), "MPI_Test");
        if (done != 0)
        {
            return;
        }
        std::this_thread::sleep_for(pause);
    }
}

std::string broadcast(std::string text, int root, const Group& group)
{
    auto length = static_cast<int>(text.size());
    check_mpi(MPI_Bcast(&length, 1, MPI_INT, root, group.comm), "MPI_Bcast");
    text.resize(static_cast<std::size_t>(length));
    check_mpi(MPI_Bcast(text.data(), length, MPI_CHAR, root, group.comm), "MPI_Bcast");
    return text;
}

int reduce(int number, MPI_Op operation, const Group& group)
{
    int result = 0;
    check_mpi(MPI_Allreduce(&number, &result, 1, MPI_INT, operation, group.comm), "MPI_Allreduce");
    return result;
}

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

/// What the lowest rank with a text says; empty if none has one.
std::string first_text(const std::string& text, const Group& all)
{
    const int speaker = reduce(text.empty() ? all.size : all.rank, MPI_MIN, all);
    return speaker < all.size ? broadcast(text, speaker, all) : std::string();
}

std::string note_on(const fs::path& file, const Outcome& mine, bool leads, const Group& all)
{
    const int nodes = reduce(leads ? 1 : 0, MPI_SUM, all);
    const int without = reduce(leads && !mine.hurdle.empty() ? 1 : 0, MPI_SUM, all);
    const int reused = reduce(leads && mine.reused ? 1 : 0, MPI_SUM, all);
    const std::string hurdle = first_text(leads ? mine.hurdle : std::string(), all);
    const std::string copy = first_text(leads ? mine.copy : std::string(), all);
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
    const Group all(comm);
    const Node node(all, options.node);
    Outcome outcome;
    if (node.is_leader())
    {
        outcome = copy_here(file, folder, progress, options.free_space_of);
    }
    sleep_until_all_are_here(all);
    const std::string error = first_text(outcome.error, all);
    if (!error.empty())
    {
        throw Error(error);
    }
    const std::string copy = broadcast(outcome.copy, 0, node);
    StagingReport report;
    report.staged = !copy.empty();
    report.path = report.staged ? fs::path(copy) : file;
    report.note = note_on(file, outcome, node.is_leader(), all);
    return report;
}
}  // namespace paws::io
