#include "src/optim/lars_sgd.hpp"

#include <torch/nn/modules/linear.h>
#include <cmath>
#include <limits>

#include "src/optim/schedule.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/golden_tensors.hpp"
#include "tests/support/goldens.hpp"

namespace
{
using namespace paws;

void check_golden(const io::h5::Group& group, torch::ScalarType type, double tolerance)
{
    const auto names = group.attribute_array<std::string>("names");
    optim::LarsSgd::NamedTensors parameters;
    for (const auto& name : names)
    {
        parameters.emplace_back(name, test::read_tensor(group, "init/" + name).to(type));
    }
    optim::LarsSgdOptions options;
    options.momentum = group.attribute<double>("momentum");
    options.weight_decay = group.attribute<double>("weight_decay");
    options.nesterov = group.attribute<bool>("nesterov");
    options.lars = group.attribute<bool>("lars");
    options.trust_coefficient = group.attribute<double>("trust_coefficient");
    optim::LarsSgd optimizer(parameters, options);
    const optim::WarmupCosine schedule{
        group.attribute<double>("start_lr"), group.attribute<double>("lr"), group.attribute<double>("final_lr"),
        group.attribute<std::int64_t>("warmup_steps"), group.attribute<std::int64_t>("total_steps")};
    const auto rates = group.dataset("lr").read<double>();
    int steps = 0;
    for (; group.has_group("step" + std::to_string(steps)); ++steps)
    {
        const auto step = group.group("step" + std::to_string(steps));
        REQUIRE(schedule.at(steps) == Approx(rates[static_cast<std::size_t>(steps)]).epsilon(1e-12));
        for (auto& [name, parameter] : parameters)
        {
            parameter.mutable_grad() = test::read_tensor(step, "grad/" + name).to(type);
        }
        optimizer.step(schedule.at(steps));
        for (const auto& [name, parameter] : parameters)
        {
            INFO("step " << steps << ", " << name);
            CHECK(test::relative_error(parameter, test::read_tensor(step, "param/" + name)) < tolerance);
        }
    }
    REQUIRE(steps > 0);
}

/// One step on one adapting tensor in plain double arithmetic.
std::vector<double> plain_step(const std::vector<double>& p, const std::vector<double>& g, double rate, double decay)
{
    double pp = 0, gg = 0;
    for (std::size_t i = 0; i < p.size(); ++i)
    {
        pp += p[i] * p[i];
        gg += g[i] * g[i];
    }
    const double adapted = 0.001 * std::sqrt(pp) / (std::sqrt(gg) + decay * std::sqrt(pp) + 1e-8);
    std::vector<double> result;
    for (std::size_t i = 0; i < p.size(); ++i)
    {
        result.push_back(p[i] - rate * adapted * (g[i] + decay * p[i]));
    }
    return result;
}
}  // namespace

TEST_CASE("LARS, SGD and the schedule agree with the published numbers", "[optim][golden]")
{
    const auto file = io::h5::File::open(test::golden_path("optimizer.h5"));
    const auto cases = file.group_names();
    REQUIRE_FALSE(cases.empty());
    for (const auto& name : cases)
    {
        INFO(name);
        check_golden(file.group(name), torch::kFloat64, test::double_tolerance);
        check_golden(file.group(name), torch::kFloat32, test::float_tolerance);
    }
}

TEST_CASE("a tensor of several chunks is updated like a plain loop does", "[optim]")
{
    torch::manual_seed(1);
    const std::int64_t size = 2 * 16384 + 13;
    const auto initial = torch::randn({size}, torch::kFloat64);
    auto parameter = initial.clone();
    parameter.mutable_grad() = torch::randn({size}, torch::kFloat64);
    optim::LarsSgdOptions options;
    options.weight_decay = 0.01;
    optim::LarsSgd optimizer({{"weight", parameter}}, options);
    const auto to_vector = [](const torch::Tensor& t)
    { return std::vector<double>(t.data_ptr<double>(), t.data_ptr<double>() + t.numel()); };
    const auto expected = plain_step(to_vector(initial), to_vector(parameter.grad()), 0.3, 0.01);
    optimizer.step(0.3);
    CHECK(test::relative_error(parameter, torch::tensor(expected, torch::kFloat64)) < 1e-12);
}

TEST_CASE("the memory order of weights and gradients does not matter", "[optim]")
{
    torch::manual_seed(2);
    const auto initial = torch::randn({6, 5, 3, 3}, torch::kFloat64);
    const auto gradient = torch::randn({6, 5, 3, 3}, torch::kFloat64);
    auto plain = initial.clone();
    auto channels_last = initial.clone().contiguous(torch::MemoryFormat::ChannelsLast);
    plain.mutable_grad() = gradient.clone();
    channels_last.mutable_grad() = gradient.clone();
    optim::LarsSgd a({{"conv.weight", plain}}, {});
    optim::LarsSgd b({{"conv.weight", channels_last}}, {});
    for (int step = 0; step < 3; ++step)
    {
        a.step(0.5);
        b.step(0.5);
    }
    CHECK(test::relative_error(channels_last, plain) < 1e-12);
}

TEST_CASE("parameters without a gradient stay, and mixed types are refused", "[optim]")
{
    auto moved = torch::ones({4});
    auto still = torch::ones({4});
    moved.mutable_grad() = torch::ones({4});
    optim::LarsSgd optimizer({{"a.weight", moved}, {"b.weight", still}}, {});
    optimizer.step(1.0);
    CHECK(still.equal(torch::ones({4})));
    CHECK_FALSE(moved.equal(torch::ones({4})));
    optimizer.zero_grad();
    CHECK_FALSE(moved.grad().defined());
    CHECK_THROWS_WITH(optim::LarsSgd({{"a", torch::ones({1})}, {"b", torch::ones({1}, torch::kFloat64)}}, {}),
                      Catch::Contains("another element type"));
    CHECK_THROWS_WITH(optim::LarsSgd(optim::NamedTensors{}, {}), Catch::Contains("no parameters"));
}

TEST_CASE("gradients of a scaled loss are scaled back as they are read", "[optim]")
{
    torch::manual_seed(3);
    const auto initial = torch::randn({7, 5});
    const auto gradient = torch::randn({7, 5});
    auto plain = initial.clone();
    auto scaled = initial.clone();
    plain.mutable_grad() = gradient.clone();
    scaled.mutable_grad() = gradient * 1024;
    optim::LarsSgd a({{"weight", plain}}, {});
    optim::LarsSgd b({{"weight", scaled}}, {});
    CHECK(a.step(0.5));
    CHECK(b.step(0.5, 1024));
    CHECK(scaled.equal(plain));
    CHECK(scaled.grad().equal(gradient * 1024));
}

TEST_CASE("a gradient that is NaN or infinite stops the step", "[optim]")
{
    const auto bad = GENERATE(std::numeric_limits<float>::infinity(), std::nanf(""));
    auto one = torch::ones({4});
    auto other = torch::ones({3});
    one.mutable_grad() = torch::ones({4});
    other.mutable_grad() = torch::ones({3});
    other.mutable_grad()[1] = bad;
    optim::LarsSgd optimizer({{"a.weight", one}, {"b.bias", other}}, {});
    CHECK_FALSE(optimizer.step(1.0));
    CHECK(one.equal(torch::ones({4})));
    CHECK(other.equal(torch::ones({3})));
    CHECK(optimizer.momentum()[0].second.equal(torch::zeros({4})));
    other.mutable_grad()[1] = 1;
    CHECK(optimizer.step(1.0));
    CHECK_FALSE(other.equal(torch::ones({3})));
}

TEST_CASE("of a module, the parameters that require a gradient are trained", "[optim]")
{
    torch::nn::Linear linear(3, 2);
    linear->bias.requires_grad_(false);
    const auto parameters = optim::trainable_parameters(*linear);
    REQUIRE(parameters.size() == 1);
    CHECK(parameters[0].first == "weight");
    const optim::LarsSgd optimizer(*linear, {});
    CHECK(optimizer.momentum().size() == 1);
    linear->weight.requires_grad_(false);
    CHECK_THROWS_WITH(optim::LarsSgd(*linear, {}), Catch::Contains("no parameters"));
}

TEST_CASE("the published rule decides which parameters LARS leaves out", "[optim]")
{
    CHECK(optim::excluded_from_adaptation("layer1.0.bn1.weight"));
    CHECK(optim::excluded_from_adaptation("fc.fc1.bias"));
    CHECK_FALSE(optim::excluded_from_adaptation("layer1.0.conv1.weight"));
    CHECK_FALSE(optim::excluded_from_adaptation("layer1.0.downsample.1.weight"));
}
