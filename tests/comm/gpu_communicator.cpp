// NCCL between as many GPUs as there are ranks gives what MPI gives on the host.

#include <torch/types.h>

#include "src/comm/differentiable.hpp"
#include "src/comm/gradient_reducer.hpp"
#include "tests/support/on_gpus.hpp"

using namespace paws;
using test::OnGpus;

namespace
{
/// Whole numbers, whose sums over some ranks all types hold.
torch::Tensor on_gpu_of_rank(int rank, torch::ScalarType type)
{
    return (torch::arange(12, torch::kFloat64).remainder(4).reshape({4, 3}) + rank % 3).to(type);
}
}  // namespace

TEST_CASE("NCCL's calls give what MPI's give, for every element type", "[gpu]")
{
    if (!test::has_gpu())
    {
        return;
    }
    OnGpus on;
    if (!on.connect())
    {
        return;
    }
    const auto ranks = on.host->world_size();
    for (const auto type : {torch::kFloat32, torch::kFloat64, torch::kBFloat16, torch::kFloat16, torch::kInt64})
    {
        INFO(toString(type));
        const auto mine = on_gpu_of_rank(on.host->rank(), type);
        const auto there = mine.to(on.device);
        const auto check = [&](const auto& call)
        {
            auto expected = mine.clone();
            auto found = there.clone();
            call(*on.host, expected);
            call(*on.gpus, found);
            CHECK(found.cpu().equal(expected));
        };
        check([](comm::Communicator& world, torch::Tensor& values) { world.all_reduce(values); });
        check([&](comm::Communicator& world, torch::Tensor& values) { world.broadcast(values, ranks - 1); });
        check([](comm::Communicator& world, torch::Tensor& values) { values = world.all_gather(values); });
        check(
            [&](comm::Communicator& world, torch::Tensor& values) {
                values = world.reduce_scatter(values.repeat({ranks, 1}) * (world.rank() + 1));
            });
        check(
            [](comm::Communicator& world, torch::Tensor& values)
            {
                auto other = values + 1;
                const auto first = world.start_all_reduce(values);
                const auto second = world.start_all_reduce(other);
                const auto gathered = world.all_gather(values.clone().zero_());
                first->wait();
                second->wait();
                values = values + 2 * other + gathered.sum().to(values.scalar_type());
            });
    }
    // Values in host memory still go through the host.
    CHECK(on.gpus->all_gather(torch::ones({1})).equal(torch::ones({ranks})));
    on.gpus->barrier();
}

TEST_CASE("NCCL changes values of any dense layout where they are, and refuses others", "[gpu]")
{
    if (!test::has_gpu())
    {
        return;
    }
    OnGpus on;
    if (!on.connect())
    {
        return;
    }
    const auto options = torch::TensorOptions().device(on.device);
    const auto weights = torch::randn({4, 3, 2, 2}, options).contiguous(torch::MemoryFormat::ChannelsLast);
    const auto steps = torch::full({}, 7 + on.host->rank(), options.dtype(torch::kInt64));
    const auto expected = weights.cpu().clone();
    on.host->broadcast(expected, 0);
    on.gpus->broadcast(weights, 0);
    on.gpus->broadcast(steps, 0);
    CHECK(weights.cpu().equal(expected));
    CHECK(steps.item<std::int64_t>() == 7);
    CHECK_THROWS_AS(on.gpus->all_reduce(torch::zeros({4, 4}, options).slice(1, 0, 2)), std::invalid_argument);
    CHECK_THROWS_AS(on.gpus->all_gather(torch::zeros({4, 2}, options).t()), std::invalid_argument);
    CHECK_THROWS_AS(on.gpus->all_reduce(torch::zeros({4}, options.dtype(torch::kInt32))), std::invalid_argument);
}

TEST_CASE("gradients are reduced over GPUs as over CPUs", "[gpu]")
{
    if (!test::has_gpu())
    {
        return;
    }
    OnGpus on;
    if (!on.connect())
    {
        return;
    }
    const auto gradients = [&](const std::shared_ptr<comm::Communicator>& world, const torch::Device& device)
    {
        torch::manual_seed(1);
        comm::GradientReducer::NamedTensors parameters;
        for (int i = 0; i < 5; ++i)
        {
            parameters.emplace_back(std::to_string(i),
                                    torch::randn({8, 8}, torch::kFloat64).to(device).requires_grad_());
        }
        comm::ReducerSettings settings;
        settings.bucket_bytes = 1200;
        comm::GradientReducer reducer(parameters, world, settings);
        std::vector<torch::Tensor> results;
        for (int step = 0; step < 3; ++step)
        {
            auto x = torch::ones({8, 8}, torch::kFloat64).to(device) * (world->rank() + step + 1);
            for (auto& [name, parameter] : parameters)
            {
                parameter.mutable_grad() = torch::Tensor();
                x = torch::tanh(x.mm(parameter));
            }
            reducer.start();
            comm::gather_with_gradient(world, x).pow(2).sum().backward();
            reducer.finish();
            for (const auto& [name, parameter] : parameters)
            {
                results.push_back(parameter.grad().cpu().clone());
            }
        }
        return results;
    };
    const auto expected = gradients(on.host, torch::kCPU);
    const auto found = gradients(on.gpus, on.device);
    REQUIRE(found.size() == expected.size());
    for (std::size_t i = 0; i < found.size(); ++i)
    {
        CHECK(found[i].allclose(expected[i], 1e-9, 1e-12));
    }
}
