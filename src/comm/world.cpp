#include "src/comm/world.hpp"

#include "src/comm/check_mpi.hpp"
#include "src/comm/mpi_communicator.hpp"

namespace paws::comm
{
World make_world(MPI_Comm mpi, std::chrono::milliseconds deadline)
{
    World world;
    world.mpi = mpi;
    world.communicator = make_mpi_communicator(mpi, deadline);
    MPI_Comm node = MPI_COMM_NULL;
    check_mpi(MPI_Comm_split_type(mpi, MPI_COMM_TYPE_SHARED, world.rank(), MPI_INFO_NULL, &node),
              "MPI_Comm_split_type");
    check_mpi(MPI_Comm_rank(node, &world.rank_on_node), "MPI_Comm_rank");
    check_mpi(MPI_Comm_size(node, &world.ranks_on_node), "MPI_Comm_size");
    check_mpi(MPI_Comm_free(&node), "MPI_Comm_free");
    const auto leaders = torch::tensor({std::int64_t{world.rank_on_node == 0}}, torch::kInt64);
    world.communicator->all_reduce(leaders);
    world.nodes = static_cast<int>(leaders.item<std::int64_t>());
    return world;
}
}  // namespace paws::comm
