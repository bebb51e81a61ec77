#include "src/comm/world.hpp"

#include "io/ranks/node.hpp"
#include "src/comm/mpi_communicator.hpp"

namespace paws::comm
{
World make_world(MPI_Comm mpi, std::chrono::milliseconds deadline)
{
    World world;
    world.communicator = make_mpi_communicator(mpi, deadline);
    const ranks::Node node(world.group());
    world.ranks_on_node = node.ranks().size();
    world.nodes = world.group().reduce(node.ranks().is_first() ? 1 : 0, MPI_SUM);
    return world;
}
}  // namespace paws::comm
