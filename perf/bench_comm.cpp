// What ranks cost: collective calls beside bare MPI ones, and the training step of bench_train_step with one batch a
// rank. Run it under mpirun or srun; the first rank reports.

#include <benchmark/benchmark.h>
#include <mpi.h>
#include <torch/types.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <vector>

#include "io/ranks/mpi_call.hpp"
#include "io/ranks/session.hpp"
#include "perf/warm.hpp"
#include "src/comm/gradient_reducer.hpp"
#include "src/comm/world.hpp"
#include "src/device/processor.hpp"
#include "src/methods/paws.hpp"
#include "src/nn/batch_norm.hpp"
#include "src/nn/batch_norm_relu.hpp"
#include "src/nn/encoder.hpp"
#include "src/optim/lars_sgd.hpp"
#include "src/session/choose_precision.hpp"
#include "src/session/runtime.hpp"

namespace
{
using namespace paws;

/// Ranks must agree on the number of calls, which Google Benchmark would choose by each one's own clock.
constexpr std::int64_t bytes_to_move = std::int64_t{64} << 20;
constexpr std::int64_t most_calls = 2000;
constexpr std::int64_t steps = 6;

std::int64_t calls_for(std::int64_t bytes)
{
    return std::clamp<std::int64_t>(bytes_to_move / bytes, 10, most_calls);
}

using Call = std::function<void(const comm::World&, const torch::Tensor& mine, const torch::Tensor& all)>;

void collective(benchmark::State& state, const comm::World& world, const Call& call)
{
    const auto count = state.range(0) / static_cast<std::int64_t>(sizeof(float));
    const auto mine = torch::ones({count});
    const auto all = torch::ones({count * world.world_size()});
    world.communicator->barrier();
    bench::measure_warm(state, [&] { call(world, mine, all); });
    state.SetBytesProcessed(state.iterations() * state.range(0));
}

/// A small reduction each time a rank has gone through an array as large as its core's cache so many times. Beside the
/// same on one rank it shows what ranks that share cores pay for taking turns: their data leave the cache.
void busy_all_reduce(benchmark::State& state, const comm::World& world)
{
    constexpr long default_bytes = 1L << 20;
    const long cache = sysconf(_SC_LEVEL2_CACHE_SIZE);
    std::vector<float> values(static_cast<std::size_t>(cache > 0 ? cache : default_bytes) / sizeof(float), 1);
    const auto mine = torch::ones({64});
    world.communicator->barrier();
    bench::measure_warm(state,
                        [&]
                        {
                            for (std::int64_t pass = 0; pass < state.range(0); ++pass)
                            {
                                for (auto& value : values)
                                {
                                    value = value * 0.5F + 0.25F;
                                }
                                benchmark::ClobberMemory();
                            }
                            world.communicator->all_reduce(mine);
                        });
}

/// Forward and backward pass of a batch norm over so few values that beside the same on one rank it shows what
/// statistics over ranks cost besides computing them: their arithmetic, and two small reductions.
void batch_norm_over_ranks(benchmark::State& state, const comm::World& world)
{
    nn::BatchNorm2d layer(state.range(0));
    layer->ranks = world.communicator;
    layer->train();
    const auto x = torch::randn({8, state.range(0), 4, 4}).contiguous(torch::MemoryFormat::ChannelsLast);
    const auto grad = torch::ones_like(x);
    x.requires_grad_(true);
    world.communicator->barrier();
    bench::measure_warm(state,
                        [&]
                        {
                            x.mutable_grad().reset();
                            nn::batch_norm_relu(*layer, x).backward(grad);
                        });
}

int count_of(const torch::Tensor& tensor)
{
    return static_cast<int>(tensor.numel());
}

void add_collectives(const comm::World& world)
{
    const auto add = [&](const std::string& name, const Call& call)
    {
        for (const std::int64_t bytes :
             {std::int64_t{256}, std::int64_t{16} << 10, std::int64_t{1} << 20, std::int64_t{8} << 20})
        {
            benchmark::RegisterBenchmark(name.c_str(), collective, world, call)
                ->Arg(bytes)
                ->Iterations(calls_for(bytes))
                ->Unit(benchmark::kMicrosecond)
                ->UseRealTime();
        }
    };
    add("comm/all_reduce", [](const auto& w, const auto& mine, const auto&) { w.communicator->all_reduce(mine); });
    add("comm_floor/all_reduce",
        [](const auto& w, const auto& mine, const auto&)
        {
            ranks::check_mpi(
                MPI_Allreduce(MPI_IN_PLACE, mine.data_ptr(), count_of(mine), MPI_FLOAT, MPI_SUM, w.group().mpi()),
                "MPI_Allreduce");
        });
    add("comm/all_gather", [](const auto& w, const auto& mine, const auto&)
        { benchmark::DoNotOptimize(w.communicator->all_gather(mine).data_ptr()); });
    add("comm_floor/all_gather",
        [](const auto& w, const auto& mine, const auto& all)
        {
            ranks::check_mpi(MPI_Allgather(mine.data_ptr(), count_of(mine), MPI_FLOAT, all.data_ptr(), count_of(mine),
                                           MPI_FLOAT, w.group().mpi()),
                             "MPI_Allgather");
        });
    add("comm/reduce_scatter", [](const auto& w, const auto&, const auto& all)
        { benchmark::DoNotOptimize(w.communicator->reduce_scatter(all).data_ptr()); });
    add("comm_floor/reduce_scatter",
        [](const auto& w, const auto& mine, const auto& all)
        {
            ranks::check_mpi(MPI_Reduce_scatter_block(all.data_ptr(), mine.data_ptr(), count_of(mine), MPI_FLOAT,
                                                      MPI_SUM, w.group().mpi()),
                             "MPI_Reduce_scatter_block");
        });
    for (const std::int64_t channels : {32, 64, 128})
    {
        benchmark::RegisterBenchmark("comm/batch_norm", batch_norm_over_ranks, world)
            ->Arg(channels)
            ->Iterations(500)
            ->Unit(benchmark::kMicrosecond)
            ->UseRealTime();
    }
    for (const std::int64_t passes : {2, 5, 20})
    {
        benchmark::RegisterBenchmark("comm/busy_all_reduce", busy_all_reduce, world)
            ->Arg(passes)
            ->Iterations(2000 / passes)
            ->Unit(benchmark::kMicrosecond)
            ->UseRealTime();
    }
}

torch::Tensor images(std::int64_t count, std::int64_t size)
{
    return torch::randn({count, size, size, 3}).permute({0, 3, 1, 2});
}

/// The step of train_step/cifar10_div8, a batch a rank. Counters: milliseconds of a step in which this rank waited for
/// communication, and their share.
void train_step(benchmark::State& state, const comm::World& world, device::Precision precision)
{
    torch::manual_seed(0);
    const auto& ranks = world.communicator;
    const auto encoder = nn::make_encoder({"wide_resnet28w2", 128, false});
    nn::to_channels_last(*encoder);
    nn::synchronise_batch_norm(*encoder, ranks);
    encoder->train();
    optim::LarsSgd optimizer(*encoder, {});
    comm::GradientReducer reducer(optim::trainable_parameters(*encoder), ranks, {});
    const auto labels = std::make_shared<const loss::SupportLabels>(
        loss::SupportLabels::stratified(10, 8, 2, 0.1, ranks->world_size()));
    methods::Paws method(labels, {6, 0.1, 0.25, true, std::int64_t{1} << 30, ranks});
    constexpr std::int64_t batch = 32;
    const data::Batch input{images(160, 32), images(2 * batch, 32), images(6 * batch, 18)};
    const auto step = [&]
    {
        optimizer.zero_grad();
        reducer.start();
        method.forward_backward(*encoder, input, precision);
        reducer.finish();
        optimizer.step(0.1);
    };
    step();
    step();
    ranks->barrier();
    const auto waited_before = ranks->seconds_waiting();
    for (auto _ : state)
    {
        step();
    }
    const auto waited = (ranks->seconds_waiting() - waited_before) / static_cast<double>(state.iterations());
    state.counters["comm_wait_ms"] = 1000 * waited;
    state.SetItemsProcessed(state.iterations() * batch * ranks->world_size());
}

/// The ranks that do not report.
class Silence final : public benchmark::BenchmarkReporter
{
public:
    bool ReportContext(const Context&) override { return true; }
    void ReportRuns(const std::vector<Run>&) override {}
};

void run(int& argc, char** argv, const comm::World& world)
{
    const session::ComputeSession session(0, world);
    add_collectives(world);
    const auto add_step = [&](const std::string& name, device::Precision precision)
    {
        benchmark::RegisterBenchmark(name.c_str(), train_step, world, precision)
            ->Iterations(steps)
            ->Unit(benchmark::kMillisecond)
            ->UseRealTime();
    };
    add_step("train_step_of_ranks/cifar10_div8", session::fast_precision(device::this_processor()).precision);
    add_step("train_step_of_ranks/cifar10_div8_fp32", device::Precision::fp32);
    benchmark::Initialize(&argc, argv);
    if (world.is_first())
    {
        benchmark::RunSpecifiedBenchmarks();
        return;
    }
    Silence silence;
    benchmark::RunSpecifiedBenchmarks(&silence);
}
}  // namespace

int main(int argc, char** argv)
{
    ranks::Session mpi(argc, argv);
    run(argc, argv, comm::make_world(MPI_COMM_WORLD, std::chrono::minutes(5)));
    // Registered benchmarks hold communicators, which must go before MPI does.
    benchmark::ClearRegisteredBenchmarks();
    return 0;
}
