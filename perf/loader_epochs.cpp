// The loader alone, epoch after epoch: how fast it is when nobody else wants the cores, and whether its memory stays
// what it is. On a GPU, unless meta.device says cpu, where there is one.
//
//     build/cpu/perf/loader_epochs CONFIG.yaml EPOCHS [section.key=value]...

#include <fmt/format.h>
#include <mpi.h>
#include <torch/cuda.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>

#include "io/ranks/session.hpp"
#include "src/commands/describe_data.hpp"
#include "src/data/dataset.hpp"
#include "src/data/paws_loader.hpp"
#include "src/session/runtime.hpp"

namespace
{
using namespace paws;

/// Of this process, in MiB: what it has in memory now, and the most it ever had.
std::pair<double, double> memory_now_and_peak()
{
    std::ifstream file("/proc/self/status");
    double now = 0, peak = 0;
    for (std::string line; std::getline(file, line);)
    {
        if (line.starts_with("VmRSS:"))
        {
            now = std::stod(line.substr(6)) / 1024;
        }
        if (line.starts_with("VmHWM:"))
        {
            peak = std::stod(line.substr(6)) / 1024;
        }
    }
    return {now, peak};
}

void run(const std::string& file, std::int64_t epochs, const std::vector<std::string>& overrides)
{
    const auto config = config::load(file, overrides);
    const session::ComputeSession session(config.meta.threads);
    const auto dataset = data::load_dataset(config, data::Splits::train);
    const auto device = torch::cuda::is_available() && config.meta.device != "cpu" ? torch::kCUDA : torch::kCPU;
    fmt::print("{}", commands::describe_data(config, dataset, device));
    data::PawsLoader loader(dataset, config, {}, device);
    for (std::int64_t epoch = 0; epoch < epochs; ++epoch)
    {
        const auto start = std::chrono::steady_clock::now();
        std::int64_t views = 0, images = 0;
        loader.start_epoch(epoch);
        while (const auto batch = loader.next())
        {
            views += (batch->supports.defined() ? batch->supports.size(0) : 0) + batch->large.size(0) +
                     (batch->small.defined() ? batch->small.size(0) : 0);
            images += batch->large.size(0) / 2;
        }
        if (device == torch::kCUDA)
        {
            torch::cuda::synchronize();
        }
        const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        const auto [now, peak] = memory_now_and_peak();
        const auto cached = dataset.train.in_memory() ? dataset.train.bytes() : dataset.train.stored->bytes_cached();
        fmt::print(
            "epoch {}: {:.0f} unlabelled images/s, {:.0f} views/s, {:.1f} s; {:.0f} MiB in memory, {:.0f} at "
            "most so far, {:.0f} of them images\n",
            epoch + 1, static_cast<double>(images) / seconds, static_cast<double>(views) / seconds, seconds, now, peak,
            static_cast<double>(cached) / (1 << 20));
        std::fflush(stdout);
    }
}
}  // namespace

int main(int argc, char** argv)
{
    if (argc < 3)
    {
        fmt::print(stderr, "usage: {} CONFIG.yaml EPOCHS [section.key=value]...\n", argv[0]);
        return 2;
    }
    try
    {
        const ranks::Session mpi(argc, argv);
        run(argv[1], std::atoll(argv[2]), {argv + 3, argv + argc});
    }
    catch (const std::exception& error)
    {
        fmt::print(stderr, "{}: {}\n", argv[0], error.what());
        return 1;
    }
    return 0;
}
