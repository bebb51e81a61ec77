// Whole training steps from the deterministic fill, against the published implementation.

#include <cmath>

#include "src/nn/encoder.hpp"
#include "src/optim/lars_sgd.hpp"
#include "src/optim/schedule.hpp"
#include "src/train/paws_step.hpp"
#include "tests/core/fill.hpp"
#include "tests/core/golden_tensors.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/goldens.hpp"

namespace
{
using namespace paws;

data::PawsBatch batch_of(const io::h5::Group& group, const std::string& step)
{
    return {test::read_tensor(group, step + "_supports"), test::read_tensor(group, step + "_views"),
            group.has_dataset(step + "_small") ? test::read_tensor(group, step + "_small") : torch::Tensor()};
}

optim::LarsSgd optimizer_of(const io::h5::Group& group, const nn::Encoder& encoder)
{
    optim::LarsSgd::NamedTensors parameters;
    for (const auto& item : encoder.named_parameters())
    {
        parameters.emplace_back(item.key(), item.value());
    }
    return {std::move(parameters),
            {group.attribute<double>("momentum"), group.attribute<double>("weight_decay"),
             group.attribute<bool>("nesterov"), true, group.attribute<double>("trust_coefficient")}};
}

void check_trace(const io::h5::Group& group)
{
    const auto integer = [&](const char* name) { return group.attribute<std::int64_t>(name); };
    const auto real = [&](const char* name) { return group.attribute<double>(name); };
    const auto encoder = nn::make_encoder(
        {group.attribute<std::string>("model_name"), integer("output_dim"), group.attribute<bool>("use_pred_head")});
    test::deterministic_fill(*encoder, static_cast<double>(integer("fill_seed")));
    encoder->to(torch::kFloat64);
    encoder->train();
    auto optimizer = optimizer_of(group, *encoder);
    const optim::WarmupCosine schedule{real("start_lr"), real("lr"), real("final_lr"), integer("warmup_steps"),
                                       integer("total_steps")};
    const auto labels = std::make_shared<const loss::SupportLabels>(loss::SupportLabels::stratified(
        integer("classes_per_batch"), integer("imgs_per_class"), integer("supervised_views"), real("label_smoothing")));
    const loss::PawsLossSettings settings{integer("multicrop"), real("temperature"), real("sharpen"),
                                          group.attribute<bool>("me_max")};
    const auto names = group.dataset("param_names").read<std::string>();
    int steps = 0;
    for (; group.has_group("step" + std::to_string(steps)); ++steps)
    {
        const auto name = "step" + std::to_string(steps);
        INFO(name);
        const auto step = group.group(name);
        optimizer.zero_grad();
        const auto value =
            train::paws_forward_backward(*encoder, batch_of(group, name), labels, settings, nn::Precision::fp64);
        optimizer.step(schedule.at(steps));
        CHECK(test::relative_error(value.cross_entropy, test::read_tensor(step, "paws_loss")) < test::double_tolerance);
        CHECK(test::relative_error(value.me_max, test::read_tensor(step, "me_max")) < test::double_tolerance);
        // The sum can all but vanish (1.6066 − 1.6044 in one golden step); its error is measured by the size of its
        // parts, each of which has agreed by itself.
        const auto total = test::read_tensor(step, "loss").item<double>();
        const double parts = std::abs(value.cross_entropy.item<double>()) + std::abs(value.me_max.item<double>());
        CHECK(std::abs((value.cross_entropy + value.me_max).item<double>() - total) < test::double_tolerance * parts);
        const auto expected = test::read_tensor(step, "param_norms");
        auto norms = torch::zeros_like(expected);
        const auto parameters = encoder->named_parameters();
        for (std::size_t i = 0; i < names.size(); ++i)
        {
            norms[static_cast<std::int64_t>(i)] = parameters[names[i]].detach().norm();
        }
        CHECK(test::relative_error(norms, expected) < test::double_tolerance);
    }
    REQUIRE(steps > 0);
}
}  // namespace

TEST_CASE("whole PAWS steps agree with the published implementation", "[train][golden]")
{
    const auto file = io::h5::File::open(test::golden_path("traces.h5"));
    int traces = 0;
    for (const auto& name : file.group_names())
    {
        if (name.rfind("paws_", 0) == 0)
        {
            INFO(name);
            check_trace(file.group(name));
            ++traces;
        }
    }
    REQUIRE(traces > 0);
}
