// One training step of wide_resnet28w2 at an eighth of the published CIFAR-10 batch: forward, backward, update.

#include <benchmark/benchmark.h>
#include <torch/torch.h>

#include "perf/warm.hpp"
#include "src/nn/encoder.hpp"
#include "src/optim/lars_sgd.hpp"
#include "src/tasks/runtime.hpp"
#include "src/train/paws_step.hpp"

namespace
{
using namespace paws;

torch::Tensor pictures(std::int64_t count, std::int64_t size)
{
    return torch::randn({count, size, size, 3}).permute({0, 3, 1, 2});
}

void train_step(benchmark::State& state, const std::string& model, nn::Precision precision)
{
    torch::manual_seed(0);
    const auto encoder = nn::make_encoder({model, 128, false});
    nn::to_channels_last(*encoder);
    encoder->train();
    optim::LarsSgd optimizer(*encoder, {});
    const auto labels = std::make_shared<const loss::SupportLabels>(loss::SupportLabels::stratified(10, 8, 2, 0.1));
    constexpr std::int64_t batch = 32;
    const data::PawsBatch input{pictures(160, 32), pictures(2 * batch, 32), pictures(6 * batch, 18)};
    bench::measure_warm(state,
                        [&]
                        {
                            optimizer.zero_grad();
                            train::paws_forward_backward(*encoder, input, labels, {6, 0.1, 0.25, true}, precision);
                            optimizer.step(0.1);
                        });
    state.SetItemsProcessed(state.iterations() * batch);
}
/// A convolution of `count` pictures of `size`², as wide_resnet28w2 has them.
struct Convolution
{
    std::int64_t count, in, out, size, kernel, stride;
};

/// All convolutions of wide_resnet28w2 (see src/nn/wide_resnet.cpp) for `count` pictures.
std::vector<Convolution> convolutions(std::int64_t count, std::int64_t size)
{
    std::vector<Convolution> all{{count, 3, 16, size, 3, 1}};
    std::int64_t in = 16;
    for (const std::int64_t out : {32, 64, 128})
    {
        const std::int64_t stride = out == 32 ? 1 : 2;
        all.push_back({count, in, out, size, 3, 1});
        all.push_back({count, out, out, size, 3, stride});
        all.push_back({count, in, out, size, 1, stride});
        size = (size + stride - 1) / stride;
        for (int block = 1; block < 4; ++block)
        {
            all.push_back({count, out, out, size, 3, 1});
            all.push_back({count, out, out, size, 3, 1});
        }
        in = out;
    }
    return all;
}

/// The convolutions of a step and nothing else, forward and both gradients: what LibTorch's library takes for the part
/// of the step that is not ours.
void bare_convolutions(benchmark::State& state, torch::ScalarType type)
{
    const torch::NoGradGuard no_gradient;
    struct Operands
    {
        torch::Tensor x, weight, grad;
        Convolution shape;
    };
    std::vector<Operands> all;
    const auto channels_last = [&](std::vector<std::int64_t> sizes)
    { return torch::randn(sizes).to(type).contiguous(torch::MemoryFormat::ChannelsLast); };
    for (const auto& group : {convolutions(160 + 64, 32), convolutions(192, 18)})
    {
        for (const auto& c : group)
        {
            const auto left = (c.size + c.stride - 1) / c.stride;
            all.push_back({channels_last({c.count, c.in, c.size, c.size}),
                           channels_last({c.out, c.in, c.kernel, c.kernel}),
                           channels_last({c.count, c.out, left, left}), c});
        }
    }
    bench::measure_warm(state,
                        [&]
                        {
                            for (const auto& [x, weight, grad, shape] : all)
                            {
                                const auto pad = shape.kernel / 2;
                                const auto y = torch::conv2d(x, weight, {}, shape.stride, pad);
                                const auto gradients = at::convolution_backward(
                                    grad, x, weight, c10::nullopt, {shape.stride, shape.stride}, {pad, pad}, {1, 1},
                                    false, {0, 0}, 1, {shape.in != 3, true, false});
                                benchmark::DoNotOptimize(y.data_ptr());
                                benchmark::DoNotOptimize(std::get<1>(gradients).data_ptr());
                            }
                        });
    state.SetItemsProcessed(state.iterations() * 32);
}
}  // namespace

int main(int argc, char** argv)
{
    const tasks::ComputeSession session(0);
    const auto add = [](const std::string& name, const std::string& model, nn::Precision precision)
    {
        benchmark::RegisterBenchmark(name.c_str(), train_step, model, precision)
            ->Unit(benchmark::kMillisecond)
            ->UseRealTime();
    };
    const auto best = nn::cpu_has_bf16() ? nn::Precision::bf16 : nn::Precision::fp32;
    add("train_step/cifar10_div8", "wide_resnet28w2", best);
    add("train_step/cifar10_div8_fp32", "wide_resnet28w2", nn::Precision::fp32);
    const auto floor = [](const std::string& name, torch::ScalarType type) {
        benchmark::RegisterBenchmark(name.c_str(), bare_convolutions, type)
            ->Unit(benchmark::kMillisecond)
            ->UseRealTime();
    };
    floor("train_step_floor/cifar10_div8", best == nn::Precision::bf16 ? torch::kBFloat16 : torch::kFloat32);
    floor("train_step_floor/cifar10_div8_fp32", torch::kFloat32);
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv))
    {
        return 2;
    }
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
