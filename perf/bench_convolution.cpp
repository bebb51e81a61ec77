// The 3×3 convolutions with stride 1 of the networks, forward and both gradients, in float32: as the program computes
// them on a CPU (Winograd's algorithm where nn::winograd_pays, images in blocks of channels), and as LibTorch does,
// directly and channels-last. What both leave out: reorders, for there are none between the layers of a network.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/autograd.h>

#include <string>
#include <vector>

#include "perf/on_device.hpp"
#include "perf/run_registered.hpp"
#include "perf/warm.hpp"
#include "src/nn/blocked_convolution.hpp"
#include "src/nn/blocked_images.hpp"

namespace
{
namespace bench = paws::bench;
namespace nn = paws::nn;

struct Layer
{
    const char* network;
    std::int64_t images, channels, size;
};

/// ResNet-50's stages of a few images of 224 pixels and as many times more of 96; wide_resnet28w2's in a step of
/// cifar10_div8. Small images of the latter are of 18 pixels.
const std::vector<Layer> layers{
    {"resnet50_224", 16, 64, 56},     {"resnet50_224", 16, 128, 28},    {"resnet50_224", 16, 256, 14},
    {"resnet50_224", 16, 512, 7},     {"resnet50_96", 48, 64, 24},      {"resnet50_96", 48, 128, 12},
    {"resnet50_96", 48, 256, 6},      {"resnet50_96", 48, 512, 3},      {"wide_resnet28w2", 224, 32, 32},
    {"wide_resnet28w2", 224, 64, 16}, {"wide_resnet28w2", 224, 128, 8}, {"wide_resnet28w2", 192, 32, 18},
    {"wide_resnet28w2", 192, 64, 9},  {"wide_resnet28w2", 192, 128, 5},
};

/// Multiplications and additions of the direct algorithm, forward and both gradients.
void count_work(benchmark::State& state, const Layer& layer)
{
    const auto pixels = layer.images * layer.size * layer.size;
    const auto flops = 3 * 2 * 9 * pixels * layer.channels * layer.channels;
    state.counters["direct_flops"] =
        benchmark::Counter(static_cast<double>(state.iterations() * flops), benchmark::Counter::kIsRate);
}

torch::Tensor images_of(const Layer& layer)
{
    return torch::randn({layer.images, layer.channels, layer.size, layer.size});
}

torch::Tensor weight_of(const Layer& layer)
{
    return torch::randn({layer.channels, layer.channels, 3, 3});
}

void ours(benchmark::State& state, const Layer& layer)
{
    auto x = nn::to_blocks(images_of(layer)).requires_grad_();
    auto weight = weight_of(layer).requires_grad_();
    const auto grad = nn::to_blocks(images_of(layer));
    bench::measure_warm(state,
                        [&]
                        {
                            const auto y = nn::blocked_convolution(x, weight, {}, 1, 1);
                            const auto gradients = torch::autograd::grad({y}, {x, weight}, {grad});
                            benchmark::DoNotOptimize(gradients.front().data_ptr());
                        });
    count_work(state, layer);
}

void direct(benchmark::State& state, const Layer& layer)
{
    const torch::NoGradGuard no_gradient;
    const auto channels_last = [](const torch::Tensor& images)
    { return images.contiguous(torch::MemoryFormat::ChannelsLast); };
    const auto x = channels_last(images_of(layer));
    const auto weight = channels_last(weight_of(layer));
    const auto grad = channels_last(images_of(layer));
    bench::measure_warm(state,
                        [&]
                        {
                            const auto y = torch::conv2d(x, weight, {}, 1, 1);
                            const auto gradients =
                                at::convolution_backward(grad, x, weight, c10::nullopt, {1, 1}, {1, 1}, {1, 1}, false,
                                                         {0, 0}, 1, {true, true, false});
                            benchmark::DoNotOptimize(y.data_ptr());
                            benchmark::DoNotOptimize(std::get<1>(gradients).data_ptr());
                        });
    count_work(state, layer);
}
}  // namespace

int main(int argc, char** argv)
{
    const bench::Session session(argc, argv);
    for (const auto& layer : layers)
    {
        const auto add = [&](const char* what, auto* run)
        {
            const auto name = fmt::format("convolution/{}/{}x{}x{}/{}", layer.network, layer.images, layer.channels,
                                          layer.size, what);
            benchmark::RegisterBenchmark(name.c_str(), run, layer)->Unit(benchmark::kMillisecond)->UseRealTime();
        };
        if (nn::has_blocked_convolutions())
        {
            add("ours", ours);
        }
        add("direct", direct);
    }
    return bench::run_registered(argc, argv);
}
