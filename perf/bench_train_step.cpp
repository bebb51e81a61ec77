// One training step without its data: forward, backward, update.

#include <benchmark/benchmark.h>
#include <torch/types.h>

#include "perf/run_registered.hpp"
#include "perf/warm.hpp"
#include "src/methods/paws.hpp"
#include "src/nn/encoder.hpp"
#include "src/optim/lars_sgd.hpp"

namespace
{
using namespace paws;

/// What a rank has in a step.
struct StepShape
{
    nn::EncoderSettings network;
    std::int64_t classes, per_class, supervised_views;  ///< of the support batch
    std::int64_t images, multicrop;
    std::int64_t large, small;  ///< sides of the views
};
const StepShape cifar10_div8{{"wide_resnet28w2", 128, false}, 10, 8, 2, 32, 6, 32, 18};
const StepShape cifar10{{"wide_resnet28w2", 128, false}, 10, 64, 2, 256, 6, 32, 18};
const StepShape imgnt_rank_of_64{{"resnet50", 2048, true}, 15, 7, 1, 64, 6, 224, 96};

torch::Tensor images(std::int64_t count, std::int64_t size)
{
    return torch::randn({count, size, size, 3}, bench::device()).permute({0, 3, 1, 2});
}

void train_step(benchmark::State& state, const StepShape& shape, device::Precision precision,
                config::Convolution convolution)
{
    torch::manual_seed(0);
    const auto encoder = nn::make_encoder(shape.network);
    encoder->to(device::storage_type(precision));
    nn::to_channels_last(*encoder);
    encoder->to(bench::device());
    encoder->use_convolution(convolution);
    encoder->train();
    optim::LarsSgd optimizer(*encoder, {});
    std::optional<optim::LossScaler> scaler;
    if (precision == device::Precision::fp16)
    {
        scaler.emplace(bench::device());
    }
    const auto labels = std::make_shared<const loss::SupportLabels>(
        loss::SupportLabels::stratified(shape.classes, shape.per_class, shape.supervised_views, 0.1)
            .to(bench::device()));
    const data::Batch input{images(labels->supports(), shape.large), images(2 * shape.images, shape.large),
                            images(shape.multicrop * shape.images, shape.small)};
    methods::Paws method(labels, {shape.multicrop, 0.1, 0.25, true});
    bench::measure_warm(state,
                        [&]
                        {
                            optimizer.zero_grad();
                            method.forward_backward(*encoder, input, precision, scaler ? &*scaler : nullptr);
                            const auto overflowed = optimizer.update(0.1, scaler ? scaler->scale() : torch::Tensor());
                            if (scaler)
                            {
                                scaler->update(overflowed);
                            }
                        });
    state.SetItemsProcessed(state.iterations() * shape.images);
}

/// A convolution of `count` images of `size`², as wide_resnet28w2 has them.
struct Convolution
{
    std::int64_t count, in, out, size, kernel, stride;
};

/// All convolutions of wide_resnet28w2 (see src/nn/wide_resnet.cpp) for `count` images.
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
    { return torch::randn(sizes, bench::device()).to(type).contiguous(torch::MemoryFormat::ChannelsLast); };
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

torch::ScalarType stored_type(device::Precision precision)
{
    return precision == device::Precision::bf16   ? torch::kBFloat16
           : precision == device::Precision::fp16 ? torch::kFloat16
                                                  : torch::kFloat32;
}
}  // namespace

int main(int argc, char** argv)
{
    const bench::Session session(argc, argv);
    const auto add = [](const std::string& name, auto* run, const auto&... arguments)
    { benchmark::RegisterBenchmark(name.c_str(), run, arguments...)->Unit(benchmark::kMillisecond)->UseRealTime(); };
    const auto best = bench::best_precision();
    using config::Convolution;
    const auto fp32 = device::Precision::fp32;
    add("train_step/cifar10_div8", train_step, cifar10_div8, best, Convolution::automatic);
    add("train_step/cifar10_div8_fp32", train_step, cifar10_div8, fp32, Convolution::automatic);
    add("train_step/cifar10_div8_fp32_direct", train_step, cifar10_div8, fp32, Convolution::direct);
    add("train_step/cifar10_div8_bf16", train_step, cifar10_div8, device::Precision::bf16, Convolution::automatic);
    add("train_step/cifar10", train_step, cifar10, best, Convolution::automatic);
    add("train_step/imgnt_rank_of_64", train_step, imgnt_rank_of_64, best, Convolution::automatic);
    add("train_step/imgnt_rank_of_64_fp32", train_step, imgnt_rank_of_64, fp32, Convolution::automatic);
    add("train_step/imgnt_rank_of_64_fp32_direct", train_step, imgnt_rank_of_64, fp32, Convolution::direct);
    add("train_step_floor/cifar10_div8", bare_convolutions, stored_type(best));
    add("train_step_floor/cifar10_div8_fp32", bare_convolutions, torch::kFloat32);
    add("train_step_floor/cifar10_div8_bf16", bare_convolutions, torch::kBFloat16);
    return bench::run_registered(argc, argv);
}
