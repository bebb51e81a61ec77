#pragma once

#include <cstdint>
#include <optional>

#include "io/ranks/group.hpp"

namespace paws::ranks
{
/// The ranks of a group that are on this node, in the same order. Nodes are told apart by their shared memory, so no
/// variable of a job system is needed.
class Node
{
public:
    /// Collective. `number`: ranks with the same one count as one node; all ranks give one or none.
    explicit Node(const Group& all, std::optional<int> number = {});
    ~Node();
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;

    const Group& ranks() const { return ranks_; }

private:
    MPI_Comm comm_ = MPI_COMM_NULL;
    Group ranks_;
};

/// What of a node one of its ranks may use.
struct Resources
{
    std::int64_t cores = 1;
    std::int64_t memory_bytes = 0;  ///< that could be had now, without what the system keeps free
};

/// Collective. The cores that this thread may run on (usable_cores), which ranks that may run on the very same ones
/// share: launchers that bind no ranks give all of a node the same. The node's free memory, no more than a container's
/// limit leaves, divided by the ranks on the node.
Resources resources_of_rank(const Group& ranks);
}  // namespace paws::ranks
