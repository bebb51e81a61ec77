#include "io/ranks/node.hpp"

#include <algorithm>
#include <exception>
#include <fstream>
#include <limits>
#include <string>

#include "io/ranks/mpi_call.hpp"
#include "io/ranks/process_limits.hpp"

namespace paws::ranks
{
namespace
{
std::int64_t available_memory()
{
    std::ifstream file("/proc/meminfo");
    std::string key;
    std::int64_t kibibytes = 0;
    std::string unit;
    while (file >> key >> kibibytes)
    {
        std::getline(file, unit);
        if (key == "MemAvailable:")
        {
            return kibibytes * 1024;
        }
    }
    return std::int64_t{4} << 30;
}

/// What the control group (of a container, of a batch job) leaves.
std::int64_t memory_of_group()
{
    const auto limit = memory_limits().group;
    return limit.exists() ? static_cast<std::int64_t>(limit.left()) : std::numeric_limits<std::int64_t>::max();
}

std::string as_text(const cpu_set_t& cores)
{
    return {reinterpret_cast<const char*>(&cores), sizeof(cores)};
}
}  // namespace

Node::Node(const Group& all, std::optional<int> number)
{
    all.meet();
    if (all.is_alone())
    {
        return;
    }
    if (number)
    {
        check_mpi(MPI_Comm_split(all.mpi(), *number, all.rank(), &comm_), "MPI_Comm_split");
    }
    else
    {
        check_mpi(MPI_Comm_split_type(all.mpi(), MPI_COMM_TYPE_SHARED, all.rank(), MPI_INFO_NULL, &comm_),
                  "MPI_Comm_split_type");
    }
    ranks_ = Group(comm_).with_deadline(all.deadline());
}

Node::~Node()
{
    // On the way out with an error, a call may still be under way.
    if (comm_ != MPI_COMM_NULL && std::uncaught_exceptions() == 0)
    {
        MPI_Comm_free(&comm_);
    }
}

Resources resources_of_rank(const Group& ranks)
{
    const Node node(ranks);
    const auto cores = usable_core_set();
    const auto mine = as_text(cores);
    const auto all = node.ranks().gather_texts(mine);
    const auto sharing = static_cast<std::int64_t>(std::count(all.begin(), all.end(), mine));
    return {std::max<std::int64_t>(1, CPU_COUNT(&cores) / sharing),
            std::min(available_memory(), memory_of_group()) / node.ranks().size()};
}
}  // namespace paws::ranks
