#pragma once

#include <cstdint>

namespace paws::data
{
/// What of a node one of its ranks may use.
struct NodeShare
{
    std::int64_t cores = 1;
    std::int64_t memory_bytes = 0;  ///< that could be had now, without what the system keeps free
};

/// This node's cores (the affinity mask's, which is per rank under srun and mpirun's binding; where the masks of the
/// ranks overlap, no more than a rank's part of all cores) and free memory (no more than a container's limit leaves),
/// the latter divided by the ranks on the node.
NodeShare node_share(std::int64_t ranks_on_node = 1);
}  // namespace paws::data
