#include <mpi.h>
#include <torch/types.h>

#include "src/comm/differentiable.hpp"
#include "src/comm/mpi_communicator.hpp"
#include "src/comm/world.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/world.hpp"

using namespace paws;

namespace
{
/// A value that tells rank and position.
torch::Tensor of_rank(int rank, std::int64_t rows, torch::ScalarType type)
{
    return (torch::arange(rows * 3, torch::kFloat64).reshape({rows, 3}) + 10 * (rank + 1)).to(type);
}

const auto all_types = {torch::kFloat32, torch::kFloat64, torch::kBFloat16, torch::kFloat16, torch::kInt64};
}  // namespace

TEST_CASE("collective calls give what their names say, for every element type", "[comm]")
{
    const auto world = test::world();
    const int ranks = world->world_size();
    for (const auto type : all_types)
    {
        INFO(toString(type));
        const auto mine = of_rank(world->rank(), 2, type);
        auto sum = torch::zeros_like(mine);
        std::vector<torch::Tensor> parts;
        for (int r = 0; r < ranks; ++r)
        {
            sum += of_rank(r, 2, type);
            parts.push_back(of_rank(r, 2, type));
        }
        auto reduced = mine.clone();
        world->all_reduce(reduced);
        CHECK(reduced.equal(sum));

        auto background = mine.clone();
        const auto pending = world->start_all_reduce(background);
        CHECK(world->all_gather(mine).equal(torch::cat(parts)));
        pending->wait();
        CHECK(background.equal(sum));

        auto given = mine.clone();
        world->broadcast(given, ranks - 1);
        CHECK(given.equal(parts.back()));

        // Rank r has 2 r, 2 r + 1, ... for everyone.
        const auto scattered = world->reduce_scatter(torch::cat(parts));
        CHECK(scattered.equal(mine * ranks));
    }
    world->barrier();
}

TEST_CASE("the gradient of gathered rows is the sum over the ranks' losses", "[comm]")
{
    const auto world = test::world();
    const int ranks = world->world_size();
    auto mine = of_rank(world->rank(), 2, torch::kFloat64).requires_grad_();
    const auto all = comm::gather_with_gradient(world, mine);
    REQUIRE(all.size(0) == 2 * ranks);
    // The loss of rank r weighs row i by (r + 1)(i + 1).
    const auto row_weights = torch::arange(1, 2 * ranks + 1, torch::kFloat64).unsqueeze(1);
    ((world->rank() + 1) * row_weights * all).sum().backward();
    const auto expected = row_weights.slice(0, 2 * world->rank(), 2 * world->rank() + 2) * (ranks * (ranks + 1) / 2);
    CHECK(mine.grad().allclose(expected.expand({2, 3})));
}

TEST_CASE("ranks that never answer end in an error that names the call", "[comm]")
{
    const auto impatient = comm::make_mpi_communicator(MPI_COMM_WORLD, std::chrono::milliseconds(100));
    const auto world = test::world();
    if (!world->is_alone() && world->rank() == 0)
    {
        CHECK_THROWS_WITH(impatient->barrier(), Catch::Contains("MPI_Ibarrier") && Catch::Contains("did not answer"));
    }
    world->barrier();
    if (!world->is_alone() && world->rank() != 0)
    {
        // Lets the call of rank 0 end, so that the communicator can go.
        impatient->barrier();
    }
}

TEST_CASE("tensors that a communicator cannot carry are refused", "[comm]")
{
    const auto world = comm::make_mpi_communicator(MPI_COMM_WORLD, std::chrono::seconds(10));
    CHECK_THROWS_AS(world->all_reduce(torch::zeros({4}, torch::kInt32)), std::invalid_argument);
    CHECK_THROWS_AS(world->all_reduce(torch::zeros({4, 4}).slice(1, 0, 2)), std::invalid_argument);
}

TEST_CASE("ranks know how they lie on nodes", "[comm]")
{
    const auto world = comm::make_world(MPI_COMM_WORLD, std::chrono::seconds(60));
    CHECK(world.nodes == 1);
    CHECK(world.ranks_on_node == world.world_size());
    CHECK(world.is_first() == (world.rank() == 0));

    const comm::World alone;
    CHECK(alone.world_size() == 1);
    CHECK(alone.communicator->is_alone());
    const auto values = torch::ones({3});
    alone.communicator->all_reduce(values);
    CHECK(values.equal(torch::ones({3})));
}
