// The update of all parameters of wide_resnet28w2 under LARS, beside memory passes over the same bytes.

#include <benchmark/benchmark.h>
#include <torch/types.h>

#include "perf/memory_passes.hpp"
#include "perf/run_registered.hpp"
#include "perf/warm.hpp"
#include "src/nn/encoder.hpp"
#include "src/optim/lars_sgd.hpp"

namespace
{
using namespace paws;

std::shared_ptr<nn::Encoder> encoder_with_gradients()
{
    torch::manual_seed(0);
    auto encoder = nn::make_encoder({"wide_resnet28w2", 128, false});
    nn::to_channels_last(*encoder);
    encoder->to(bench::device());
    for (auto& parameter : encoder->parameters())
    {
        parameter.mutable_grad() = torch::randn_like(parameter);
    }
    return encoder;
}

void lars_sgd(benchmark::State& state)
{
    const auto encoder = encoder_with_gradients();
    optim::LarsSgd optimizer(*encoder, {});
    bench::measure_warm(state, [&] { optimizer.update(0.1); });
}

/// What no implementation can leave out: parameters and gradients are read for the norms; then both and the momenta are
/// read, and parameters and momenta written.
void lars_sgd_floor(benchmark::State& state)
{
    std::int64_t size = 0;
    for (const auto& parameter : encoder_with_gradients()->parameters())
    {
        size += parameter.numel();
    }
    if (bench::on_gpu())
    {
        bench::measure_gpu_copy(state, 7 * size);
        return;
    }
    const auto tensors = torch::ones({3, size});
    auto* const p = static_cast<std::uint32_t*>(tensors[0].data_ptr());
    const auto* const g = static_cast<const std::uint32_t*>(tensors[1].data_ptr());
    auto* const m = static_cast<std::uint32_t*>(tensors[2].data_ptr());
    for (auto _ : state)
    {
        bench::read_pass(size, p, g);
        bench::for_each_piece(size,
                              [=](std::int64_t begin, std::int64_t end)
                              {
                                  for (std::int64_t i = begin; i < end; ++i)
                                  {
                                      m[i] = (m[i] ^ g[i]) + 1U;
                                      p[i] ^= m[i];
                                  }
                              });
        benchmark::ClobberMemory();
    }
}
}  // namespace

int main(int argc, char** argv)
{
    const bench::Session session(argc, argv);
    const auto add = [](const char* name, auto* run)
    { benchmark::RegisterBenchmark(name, run)->Unit(benchmark::kMicrosecond)->UseRealTime(); };
    add("lars_sgd/wide_resnet28w2", lars_sgd);
    add("lars_sgd_floor/wide_resnet28w2", lars_sgd_floor);
    return bench::run_registered(argc, argv);
}
