// Whole training steps from the deterministic fill, against the published implementation.

#include <cmath>

#include "src/methods/paws.hpp"
#include "tests/methods/trace_run.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/golden_tensors.hpp"
#include "tests/support/goldens.hpp"
#include "tests/support/gpu.hpp"

namespace
{
using namespace paws;

data::Batch paws_batch(const io::h5::Group& group, const std::string& step, torch::Device device,
                       torch::ScalarType type = torch::kFloat64)
{
    const auto read = [&](const char* part) { return test::read_tensor(group, step + part).to(device, type); };
    return {read("_supports"), read("_views"), group.has_dataset(step + "_small") ? read("_small") : torch::Tensor()};
}

data::Batch with_rounding_noise(const data::Batch& batch)
{
    return {test::with_rounding_noise(batch.supports), test::with_rounding_noise(batch.large),
            batch.small.defined() ? test::with_rounding_noise(batch.small) : torch::Tensor()};
}

loss::PawsLoss paws_columns(const std::vector<torch::Tensor>& values)
{
    return {values.at(0), values.at(1)};
}

methods::Paws method_of(const io::h5::Group& group, torch::Device device)
{
    const auto integer = [&](const char* name) { return group.attribute<std::int64_t>(name); };
    const auto real = [&](const char* name) { return group.attribute<double>(name); };
    const auto labels = std::make_shared<const loss::SupportLabels>(
        loss::SupportLabels::stratified(integer("classes_per_batch"), integer("imgs_per_class"),
                                        integer("supervised_views"), real("label_smoothing"))
            .to(device));
    return {labels, {integer("multicrop"), real("temperature"), real("sharpen"), group.attribute<bool>("me_max")}};
}

void check_paws_trace(const io::h5::Group& group, torch::Device device)
{
    test::TraceRun run(group, device);
    test::TraceRun twin(group, device);
    const auto schedule = test::schedule_of(group);
    auto method = method_of(group, device);
    const auto names = group.dataset("param_names").read<std::string>();
    int steps = 0;
    for (; group.has_group("step" + std::to_string(steps)); ++steps)
    {
        const auto name = "step" + std::to_string(steps);
        INFO(name);
        const auto step = group.group(name);
        const auto batch = paws_batch(group, name, device);
        const auto advance = [&](test::TraceRun& one, const data::Batch& images)
        {
            return one.step([&](nn::Encoder& encoder)
                            { return paws_columns(method.forward_backward(encoder, images, device::Precision::fp64)); },
                            schedule.at(steps));
        };
        const auto value = advance(run, batch);
        const auto noisy = advance(twin, with_rounding_noise(batch));
        const auto check = [&](const torch::Tensor& ours, const torch::Tensor& other, const char* golden)
        {
            INFO(golden);
            CHECK(test::relative_error(ours, test::read_tensor(step, golden)) < test::golden_tolerance(ours, other));
        };
        check(value.cross_entropy, noisy.cross_entropy, "paws_loss");
        check(value.me_max, noisy.me_max, "me_max");
        // The sum can all but vanish (1.6066 − 1.6044 in one golden step); its error is measured by the size of its
        // parts, each of which has agreed by itself.
        const auto parts = torch::stack({value.cross_entropy, value.me_max}).detach();
        const auto tolerance = test::golden_tolerance(parts, torch::stack({noisy.cross_entropy, noisy.me_max}));
        CHECK(std::abs(parts.sum().item<double>() - test::read_tensor(step, "loss").item<double>()) <
              tolerance * parts.abs().sum().item<double>());
        check(run.parameter_norms(names), twin.parameter_norms(names), "param_norms");
    }
    REQUIRE(steps > 0);
}

/// Losses of the steps of a trace in float32; `noise`: on images whose last bits differ.
std::vector<double> float_losses(const io::h5::Group& group, config::Convolution convolution, bool noise)
{
    auto run = test::TraceRun::in_float32(group, convolution);
    auto method = method_of(group, torch::kCPU);
    const auto schedule = test::schedule_of(group);
    std::vector<double> losses;
    for (int step = 0; group.has_group("step" + std::to_string(step)); ++step)
    {
        auto batch = paws_batch(group, "step" + std::to_string(step), torch::kCPU, torch::kFloat32);
        if (noise)
        {
            for (auto* const images : {&batch.supports, &batch.large, &batch.small})
            {
                if (images->defined())
                {
                    *images = *images * (1 + std::numeric_limits<float>::epsilon() * torch::randn_like(*images).sign());
                }
            }
        }
        const auto value =
            run.step([&](nn::Encoder& encoder)
                     { return paws_columns(method.forward_backward(encoder, batch, device::Precision::fp32)); },
                     schedule.at(step));
        losses.push_back((value.cross_entropy + value.me_max).item<double>());
    }
    return losses;
}

void check_traces(torch::Device device)
{
    const auto file = io::h5::File::open(test::golden_path("traces.h5"));
    int traces = 0;
    for (const auto& name : file.group_names())
    {
        if (name.rfind("paws_", 0) == 0)
        {
            INFO(name);
            check_paws_trace(file.group(name), device);
            ++traces;
        }
    }
    REQUIRE(traces > 0);
}
}  // namespace

TEST_CASE("whole PAWS steps agree with the published implementation", "[train][golden]")
{
    check_traces(torch::kCPU);
}

TEST_CASE("whole PAWS steps in float32 have the same losses with Winograd's convolutions", "[train][golden]")
{
    torch::manual_seed(2);
    const auto file = io::h5::File::open(test::golden_path("traces.h5"));
    for (const auto& name : file.group_names())
    {
        if (name.rfind("paws_", 0) != 0)
        {
            continue;
        }
        const auto group = file.group(name);
        const auto direct = float_losses(group, config::Convolution::direct, false);
        const auto noisy = float_losses(group, config::Convolution::direct, true);
        const auto winograd = float_losses(group, config::Convolution::automatic, false);
        REQUIRE_FALSE(direct.empty());
        for (std::size_t step = 0; step < direct.size(); ++step)
        {
            INFO(name << ", step " << step << ": direct " << direct[step] << ", on noisy images " << noisy[step]
                      << ", Winograd " << winograd[step]);
            // The trace itself magnifies rounding; what it makes of the last bits of its images is the measure.
            const auto magnified = std::abs(noisy[step] - direct[step]);
            CHECK(std::abs(winograd[step] - direct[step]) <= std::max(1e-4 * std::abs(direct[step]), 10 * magnified));
        }
    }
}

TEST_CASE("whole PAWS steps on a GPU agree with the published implementation", "[gpu]")
{
    if (!test::has_gpu())
    {
        return;
    }
    check_traces(torch::kCUDA);
}
