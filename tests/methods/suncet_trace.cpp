// Whole training steps of SimCLR with SuNCEt from the deterministic fill, against the published implementation.

#include "src/methods/suncet.hpp"
#include "tests/methods/trace_run.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/golden_tensors.hpp"
#include "tests/support/goldens.hpp"

namespace
{
using namespace paws;

std::shared_ptr<const loss::SupportLabels> labels_of(const io::h5::Group& group)
{
    return std::make_shared<const loss::SupportLabels>(loss::SupportLabels::stratified(
        group.attribute<std::int64_t>("classes_per_batch"), group.attribute<std::int64_t>("imgs_per_class"), 1, 0));
}

/// The golden's images: first views, second views, supports.
data::Batch suncet_batch(const io::h5::Group& group, const std::string& step)
{
    const auto images = test::read_tensor(group, step + "_images");
    const auto views = 2 * group.attribute<std::int64_t>("batch_size");
    return {images.slice(0, views), images.slice(0, 0, views), {}};
}

struct SuncetLoss
{
    torch::Tensor suncet, simclr;
};

SuncetLoss suncet_columns(const std::vector<torch::Tensor>& values)
{
    return {values.at(0), values.at(1)};
}

void check_suncet_trace(const io::h5::Group& group)
{
    test::TraceRun run(group);
    test::TraceRun twin(group);
    const auto schedule = test::schedule_of(group);
    methods::Suncet method(labels_of(group), {group.attribute<double>("temperature")});
    const auto names = run.parameter_names();
    int steps = 0;
    for (; group.has_group("step" + std::to_string(steps)); ++steps)
    {
        const auto name = "step" + std::to_string(steps);
        INFO(name);
        const auto step = group.group(name);
        const auto batch = suncet_batch(group, name);
        const auto advance = [&](test::TraceRun& one, const data::Batch& images)
        {
            return one.step(
                [&](nn::Encoder& encoder)
                { return suncet_columns(method.forward_backward(encoder, images, device::Precision::fp64)); },
                schedule.at(steps));
        };
        const auto value = advance(run, batch);
        const auto noisy = advance(
            twin, {test::with_rounding_noise(batch.supports), test::with_rounding_noise(batch.large), torch::Tensor()});
        const auto check = [&](const torch::Tensor& ours, const torch::Tensor& other, const char* golden)
        {
            INFO(golden);
            CHECK(test::relative_error(ours, test::read_tensor(step, golden)) < test::golden_tolerance(ours, other));
        };
        check(value.simclr, noisy.simclr, "simclr_loss");
        check(value.suncet, noisy.suncet, "suncet_loss");
        check(value.simclr + value.suncet, noisy.simclr + noisy.suncet, "loss");
        check(run.parameter_norms(names), twin.parameter_norms(names), "param_norms");
    }
    REQUIRE(steps > 0);
}
}  // namespace

TEST_CASE("whole steps of SimCLR with SuNCEt agree with the published implementation", "[train][golden]")
{
    const auto file = io::h5::File::open(test::golden_path("traces.h5"));
    int traces = 0;
    for (const auto& name : file.group_names())
    {
        if (name.rfind("suncet_", 0) == 0)
        {
            INFO(name);
            check_suncet_trace(file.group(name));
            ++traces;
        }
    }
    REQUIRE(traces > 0);
}

TEST_CASE("a batch without labelled images trains SimCLR alone", "[train]")
{
    torch::manual_seed(3);
    const auto encoder = nn::make_encoder({"wide_resnet28w2", 8, false});
    const data::Batch batch{{}, torch::randn({6, 3, 16, 16}), {}};
    const auto value =
        suncet_columns(methods::Suncet(nullptr, {0.1}).forward_backward(*encoder, batch, device::Precision::fp32));
    CHECK(value.suncet.item<double>() == 0);
    CHECK(value.simclr.item<double>() > 0);
    CHECK(encoder->parameters().front().grad().norm().item<double>() > 0);
}
