#include "src/comm/gradient_reducer.hpp"

#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/types.h>

#include "tests/support/catch.hpp"
#include "tests/support/golden_tensors.hpp"
#include "tests/support/world.hpp"

using namespace paws;

namespace
{
/// A small network whose parameters are the same on all ranks; one of them enters no loss.
struct Net : torch::nn::Module
{
    explicit Net(torch::ScalarType type)
    {
        torch::manual_seed(3);
        convolution = register_module("convolution", torch::nn::Conv2d(torch::nn::Conv2dOptions(3, 4, 3)));
        linear = register_module("linear", torch::nn::Linear(4, 2));
        unused = register_parameter("unused", torch::ones({5}));
        to(type);
        convolution->weight.set_data(convolution->weight.contiguous(torch::MemoryFormat::ChannelsLast));
    }

    torch::Tensor loss(int rank)
    {
        const auto x = torch::sin(torch::arange(2 * 3 * 36, linear->weight.options()) * 0.3 + rank);
        return linear->forward(convolution->forward(x.reshape({2, 3, 6, 6})).relu().mean({2, 3})).square().sum();
    }

    std::vector<std::pair<std::string, torch::Tensor>> named() const
    {
        std::vector<std::pair<std::string, torch::Tensor>> all;
        for (const auto& item : named_parameters())
        {
            all.emplace_back(item.key(), item.value());
        }
        return all;
    }

    torch::nn::Conv2d convolution{nullptr};
    torch::nn::Linear linear{nullptr};
    torch::Tensor unused;
};

void forget_gradients(Net& net)
{
    for (auto& parameter : net.parameters())
    {
        parameter.mutable_grad() = torch::Tensor();
    }
}

void check_means(const comm::ReducerSettings& settings, torch::ScalarType type, double tolerance)
{
    const auto world = test::world();
    Net whole(type);
    torch::Tensor mean = torch::zeros({}, type);
    for (int r = 0; r < world->world_size(); ++r)
    {
        mean = mean + whole.loss(r) / world->world_size();
    }
    mean.backward();

    Net net(type);
    comm::GradientReducer reducer(net.named(), world, settings);
    // The second time in the buckets of the order that the first had.
    for (int step = 0; step < 3; ++step)
    {
        forget_gradients(net);
        reducer.start();
        net.loss(world->rank()).backward();
        reducer.finish();
        const auto ours = net.named(), expected = whole.named();
        for (std::size_t i = 0; i < ours.size(); ++i)
        {
            INFO(ours[i].first);
            if (ours[i].first == "unused")
            {
                CHECK((world->is_alone() || ours[i].second.grad().equal(torch::zeros({5}, type))));
                continue;
            }
            CHECK(test::relative_error(ours[i].second.grad(), expected[i].second.grad()) < tolerance);
        }
    }
}
}  // namespace

TEST_CASE("gradients become the means over ranks, whatever the buckets", "[ranks]")
{
    for (const std::int64_t bucket_bytes : {1, 200, 1 << 20})
    {
        check_means({bucket_bytes, {}}, torch::kFloat64, 1e-14);
        check_means({bucket_bytes, {}}, torch::kFloat32, 1e-6);
        check_means({bucket_bytes, torch::kBFloat16}, torch::kFloat32, 1e-2);
        check_means({bucket_bytes, torch::kFloat16}, torch::kFloat32, 2e-3);
    }
}

TEST_CASE("buckets hold as many bytes as asked", "[ranks]")
{
    const auto world = test::world();
    Net net(torch::kFloat32);
    const auto buckets = [&](std::int64_t bytes) {
        return comm::GradientReducer(net.named(), world, {bytes, {}}).bucket_count();
    };
    CHECK(buckets(1) == (world->is_alone() ? 0 : 5));
    CHECK(buckets(1 << 20) == (world->is_alone() ? 0 : 1));
}

TEST_CASE("a second backward pass before finish is refused", "[ranks]")
{
    const auto world = test::world();
    Net net(torch::kFloat32);
    comm::GradientReducer reducer(net.named(), world, {});
    reducer.start();
    net.loss(0).backward();
    if (!world->is_alone())
    {
        CHECK_THROWS_AS(net.loss(0).backward(), std::logic_error);
    }
    reducer.finish();
    // Outside of a step, gradients are left alone.
    forget_gradients(net);
    net.loss(0).backward();
    CHECK(net.linear->weight.grad().defined());
}
