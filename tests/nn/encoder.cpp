#include "src/nn/encoder.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tests/support/catch.hpp"
#include "tests/support/fill.hpp"
#include "tests/support/golden_tensors.hpp"
#include "tests/support/goldens.hpp"

namespace
{
using namespace paws;

std::vector<torch::Tensor> inputs_of(const io::h5::Group& group, torch::ScalarType type)
{
    std::vector<torch::Tensor> inputs;
    while (group.has_dataset("input" + std::to_string(inputs.size())))
    {
        inputs.push_back(test::read_tensor(group, "input" + std::to_string(inputs.size())).to(type));
    }
    return inputs;
}

/// The golden's shapes are texts such as "16,3,3,3"; digits in order are what is compared.
std::string digits_of(const std::string& text)
{
    std::string digits;
    bool in_number = false;
    for (const char c : text)
    {
        const bool digit = c >= '0' && c <= '9';
        if (digit && !in_number && !digits.empty())
        {
            digits += ',';
        }
        in_number = digit;
        if (digit)
        {
            digits += c;
        }
    }
    return digits;
}

void check_names(const nn::Encoder& encoder, const io::h5::Group& group)
{
    const auto names = group.dataset("state_dict_names").read<std::string>();
    const auto shapes = group.dataset("state_dict_shapes").read<std::string>();
    const auto state = nn::state_dict(encoder);
    REQUIRE(state.size() == names.size());
    for (std::size_t i = 0; i < names.size(); ++i)
    {
        REQUIRE(state[i].first == names[i]);
        REQUIRE(fmt::format("{}", fmt::join(state[i].second.sizes(), ",")) == digits_of(shapes[i]));
    }
}

struct TrainingPass
{
    torch::Tensor h, z;
    torch::Tensor gradient_norms;  ///< of Σ z cos(flat index), parameter after parameter
    torch::Tensor running_means;   ///< all, one after the other
};

TrainingPass training_pass(nn::Encoder& encoder, const std::vector<torch::Tensor>& inputs,
                           const std::vector<std::string>& names)
{
    encoder.to(torch::kFloat64);
    encoder.train();
    const auto out = encoder.forward(inputs);
    const auto weights = torch::cos(torch::arange(out.z.numel(), torch::kFloat64)).view_as(out.z);
    (out.z * weights).sum().backward();
    std::vector<torch::Tensor> norms;
    const auto parameters = encoder.named_parameters();
    for (const auto& name : names)
    {
        norms.push_back(parameters[name].grad().norm());
    }
    std::vector<torch::Tensor> means;
    for (const auto& [name, tensor] : nn::state_dict(encoder))
    {
        if (test::ends_with(name, "running_mean"))
        {
            means.push_back(tensor.flatten());
        }
    }
    return {out.h, out.z, torch::stack(norms), torch::cat(means)};
}

void check_training_pass(nn::Encoder& encoder, nn::Encoder& twin, const io::h5::Group& group)
{
    auto inputs = inputs_of(group, torch::kFloat64);
    const auto names = group.dataset("param_names").read<std::string>();
    const auto ours = training_pass(encoder, inputs, names);
    for (auto& input : inputs)
    {
        input = test::with_rounding_noise(input);
    }
    const auto noisy = training_pass(twin, inputs, names);
    const auto check = [&](const torch::Tensor& a, const torch::Tensor& b, const char* golden)
    {
        INFO(golden);
        const auto expected = test::read_tensor(group, golden);
        CHECK(test::relative_error(a.slice(0, 0, expected.size(0)), expected) < test::golden_tolerance(a, b));
    };
    check(ours.h, noisy.h, "train_h");
    check(ours.z, noisy.z, "train_z");
    check(ours.gradient_norms, noisy.gradient_norms, "grad_norms");
    check(ours.running_means, noisy.running_means, "running_mean_after");
}
}  // namespace

TEST_CASE("networks have the published names, shapes and outputs", "[nn][golden]")
{
    const auto file = io::h5::File::open(test::golden_path("models.h5"));
    const auto names = file.group_names();
    REQUIRE_FALSE(names.empty());
    for (const auto& name : names)
    {
        INFO(name);
        const auto group = file.group(name);
        const auto filled_encoder = [&]
        {
            auto made =
                nn::make_encoder({group.attribute<std::string>("model_name"),
                                  group.attribute<std::int64_t>("output_dim"), group.attribute<bool>("use_pred_head")});
            test::deterministic_fill(*made, static_cast<double>(group.attribute<std::int64_t>("fill_seed")));
            return made;
        };
        const auto encoder = filled_encoder();
        check_names(*encoder, group);
        encoder->eval();
        {
            const torch::NoGradGuard no_gradient;
            const auto out = encoder->forward(inputs_of(group, torch::kFloat32));
            CHECK(test::relative_error(out.h, test::read_tensor(group, "eval_h")) < test::float_tolerance);
            CHECK(test::relative_error(out.z, test::read_tensor(group, "eval_z")) < test::float_tolerance);
        }
        if (group.has_dataset("train_h"))
        {
            check_training_pass(*encoder, *filled_encoder(), group);
        }
    }
}

namespace
{
/// Outputs and gradients of all parameters of a network on `views`, of weights that depend on `name` alone.
std::vector<std::pair<std::string, torch::Tensor>> results_of_network(const std::string& name,
                                                                      config::Convolution convolution,
                                                                      torch::ScalarType type,
                                                                      std::vector<torch::Tensor> views)
{
    torch::manual_seed(11);
    const auto encoder = nn::make_encoder({name, 16, true});
    encoder->use_convolution(convolution);
    encoder->to(type);
    // Running statistics: those of few images magnify what rounding makes of a deep network.
    encoder->eval();
    for (auto& view : views)
    {
        view = view.to(type);
    }
    const auto out = encoder->forward(views);
    (out.z * torch::sin(torch::arange(out.z.numel(), out.z.options())).view_as(out.z)).sum().backward();
    std::vector<std::pair<std::string, torch::Tensor>> results{{"h", out.h.detach()}, {"z", out.z.detach()}};
    for (const auto& item : encoder->named_parameters())
    {
        results.emplace_back(item.key(), item.value().grad());
    }
    return results;
}
}  // namespace

TEST_CASE("networks on images in blocks of channels give the outputs and gradients of double precision", "[nn]")
{
    for (const std::string name : {"wide_resnet16w1", "wide_resnet28w2", "resnet18", "resnet50"})
    {
        INFO(name);
        torch::manual_seed(12);
        const bool is_wide = name.rfind("wide", 0) == 0;
        const auto images = [](std::int64_t count, std::int64_t size) { return torch::randn({count, 3, size, size}); };
        const std::vector<torch::Tensor> views{images(3, is_wide ? 32 : 64), images(5, is_wide ? 18 : 40)};
        const auto exact = results_of_network(name, config::Convolution::direct, torch::kFloat64, views);
        const auto direct = results_of_network(name, config::Convolution::direct, torch::kFloat32, views);
        const auto blocked = results_of_network(name, config::Convolution::automatic, torch::kFloat32, views);
        for (std::size_t i = 0; i < exact.size(); ++i)
        {
            const auto& reference = exact[i].second;
            const auto error = test::relative_error(blocked[i].second, reference);
            const auto usual = test::relative_error(direct[i].second, reference);
            INFO(exact[i].first << ": " << error << ", direct " << usual);
            // A ReLU that rounding turns on or off changes all gradients behind it by some thousandths: those are held
            // closely layer by layer, in the tests of convolutions and of batch norms.
            CHECK(error < (i < 2 ? std::max(1e-5, 10 * usual) : 0.02));
        }
    }
}

TEST_CASE("every network takes several crop sizes and keeps the order of the views", "[nn]")
{
    for (const auto* name : {"wide_resnet16w1", "wide_resnet28w2", "resnet18", "resnet34"})
    {
        INFO(name);
        const auto encoder = nn::make_encoder({name, 16, true});
        nn::to_channels_last(*encoder);
        encoder->eval();
        const torch::NoGradGuard no_gradient;
        const auto a = torch::randn({2, 3, 32, 32});
        const auto b = torch::randn({3, 3, 32, 32});
        const auto c = torch::randn({4, 3, 18, 18});
        const auto all = encoder->forward({a, b, c});
        REQUIRE(all.h.sizes() == torch::IntArrayRef({9, 16}));
        CHECK(test::relative_error(all.z.slice(0, 2, 5), encoder->forward({b}).z) < test::float_tolerance);
        CHECK(test::relative_error(all.h.slice(0, 5), encoder->forward({c}).h) < test::float_tolerance);
        CHECK(test::relative_error(encoder->embed(a, nn::Embedding::projection), all.h.slice(0, 0, 2)) <
              test::float_tolerance);
        CHECK(test::relative_error(encoder->embed(a, nn::Embedding::prediction), all.z.slice(0, 0, 2)) <
              test::float_tolerance);
        CHECK(encoder->embed(a, nn::Embedding::backbone).size(1) == encoder->feature_dim());
    }
}

TEST_CASE("every published network can be made", "[nn]")
{
    // The counts are those of the backbones' definitions with these heads.
    for (const auto& name : nn::model_names())
    {
        INFO(name);
        CHECK(nn::parameter_count(*nn::make_encoder({name, 8, false})) > 100000);
    }
}

TEST_CASE("an unknown network and an impossible head are refused", "[nn]")
{
    CHECK_THROWS_WITH(nn::make_encoder({"resnet51", 128, false}), Catch::Contains("unknown network 'resnet51'"));
    CHECK_THROWS_WITH(nn::make_encoder({"resnet18", 2, true}), Catch::Contains("needs at least 4"));
    CHECK_THROWS_WITH(nn::make_encoder({"resnet18", 0, false}), Catch::Contains("meta.output_dim"));
}
