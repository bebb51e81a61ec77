// Whole steps of fine-tuning from the deterministic fill, against the published implementation.

#include "src/methods/classifier.hpp"

#include <limits>

#include "tests/methods/trace_run.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/golden_tensors.hpp"
#include "tests/support/goldens.hpp"

namespace
{
using namespace paws;

/// The published schedule has no warm-up and ends at zero.
optim::WarmupCosine cosine_of(const io::h5::Group& group)
{
    const auto rate = group.attribute<double>("lr");
    return {rate, rate, 0, 0, group.attribute<std::int64_t>("total_steps")};
}

/// The trace has ReLUs whose inputs come within a float's rounding of zero: in double, images changed by 6e-8 move
/// the loss of its fourth step by up to 2e-3, or not at all. In float, what the first update leads to is compared.
int steps_to_compare(device::Precision precision)
{
    return precision == device::Precision::fp64 ? std::numeric_limits<int>::max() : 2;
}

struct ClassifierValues
{
    torch::Tensor cross_entropy, top1;
};

ClassifierValues classifier_step(nn::Encoder& encoder, const torch::Tensor& images, const torch::Tensor& classes,
                                 device::Precision precision)
{
    const auto values = methods::Classifier().forward_backward(encoder, {images, {}, {}, classes}, precision);
    return {values.at(0), values.at(1)};
}

void check_fine_tune_trace(const io::h5::Group& group, device::Precision precision)
{
    INFO(to_string(precision));
    const auto type = device::storage_type(precision);
    auto run = test::TraceRun::of_classifier(group, type);
    const auto schedule = cosine_of(group);
    const auto names = run.parameter_names();
    const auto tolerance = precision == device::Precision::fp64 ? test::double_tolerance : test::float_tolerance;
    int steps = 0;
    for (; steps < steps_to_compare(precision) && group.has_group("step" + std::to_string(steps)); ++steps)
    {
        const auto name = "step" + std::to_string(steps);
        INFO(name);
        const auto step = group.group(name);
        const auto images = test::read_tensor(group, name + "_images").to(type);
        const auto classes = test::read_tensor(group, name + "_labels").to(torch::kInt64);
        const auto value =
            run.step([&](nn::Encoder& encoder) { return classifier_step(encoder, images, classes, precision); },
                     schedule.at(steps));
        CHECK(test::relative_error(value.cross_entropy, test::read_tensor(step, "loss")) < tolerance);
        CHECK(test::relative_error(run.parameter_norms(names), test::read_tensor(step, "param_norms")) < tolerance);
    }
    REQUIRE(steps > 0);
}
}  // namespace

TEST_CASE("whole steps of fine-tuning agree with the published implementation", "[train][golden]")
{
    const auto file = io::h5::File::open(test::golden_path("traces.h5"));
    int traces = 0;
    for (const auto& name : file.group_names())
    {
        if (name.rfind("fine_tune_", 0) == 0)
        {
            INFO(name);
            check_fine_tune_trace(file.group(name), device::Precision::fp64);
            check_fine_tune_trace(file.group(name), device::Precision::fp32);
            ++traces;
        }
    }
    REQUIRE(traces > 0);
}

TEST_CASE("a step of fine-tuning counts the images whose class has the largest logit", "[train]")
{
    torch::manual_seed(3);
    const auto encoder = nn::make_encoder({"wide_resnet16w1", 0, false, 4});
    const auto views = torch::randn({6, 3, 16, 16});
    const auto logits = encoder->forward({views}).z.detach();
    CHECK(logits.sizes() == torch::IntArrayRef({6, 4}));
    auto classes = logits.argmax(1);
    classes[0] = (classes[0] + 1) % 4;
    const auto value = classifier_step(*encoder, views, classes, device::Precision::fp32);
    CHECK(value.top1.item<double>() == Approx(5.0 / 6));
    const auto plain = -torch::log_softmax(logits.to(torch::kFloat64), 1).gather(1, classes.unsqueeze(1)).mean();
    CHECK(value.cross_entropy.item<double>() == Approx(plain.item<double>()).epsilon(1e-5));
    CHECK(encoder->parameters().front().grad().norm().item<double>() > 0);
}

TEST_CASE("the classifier has the published names and no other head", "[nn]")
{
    const auto encoder = nn::make_encoder({"wide_resnet16w1", 16, true, 4});
    std::vector<std::string> heads;
    for (const auto& [name, tensor] : nn::state_dict(*encoder))
    {
        if (name.rfind("fc.", 0) == 0 || name.rfind("pred.", 0) == 0)
        {
            heads.push_back(name);
        }
    }
    CHECK(heads == std::vector<std::string>{"fc.fc1.weight", "fc.fc1.bias", "fc.bn1.weight", "fc.bn1.bias",
                                            "fc.bn1.running_mean", "fc.bn1.running_var", "fc.bn1.num_batches_tracked",
                                            "fc.fc2.weight", "fc.fc2.bias"});
}
