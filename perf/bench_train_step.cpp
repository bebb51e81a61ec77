// One training step of wide_resnet28w2 at an eighth of the published CIFAR-10 batch: forward, backward, update.

#include <benchmark/benchmark.h>
#include <torch/torch.h>

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
    optim::LarsSgd::NamedTensors parameters;
    for (const auto& item : encoder->named_parameters())
    {
        parameters.emplace_back(item.key(), item.value());
    }
    optim::LarsSgd optimizer(std::move(parameters), {});
    const auto labels = std::make_shared<const loss::SupportLabels>(loss::SupportLabels::stratified(10, 8, 2, 0.1));
    constexpr std::int64_t batch = 32;
    const data::PawsBatch input{pictures(160, 32), pictures(2 * batch, 32), pictures(6 * batch, 18)};
    for (auto _ : state)
    {
        optimizer.zero_grad();
        train::paws_forward_backward(*encoder, input, labels, {6, 0.1, 0.25, true}, precision);
        optimizer.step(0.1);
    }
    state.SetItemsProcessed(state.iterations() * batch);
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
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv))
    {
        return 2;
    }
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
