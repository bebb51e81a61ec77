#include "src/tasks/runtime.hpp"

#include <fmt/format.h>
#include <malloc.h>
#include <omp.h>
#include <sched.h>
#include <torch/torch.h>

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <limits>

#include "io/host_name.hpp"
#include "src/comm/agreement.hpp"
#include "src/nn/blas_threads.hpp"

namespace paws::tasks
{
namespace
{
void start_kokkos(int threads)
{
#if KOKKOS_VERSION >= 30700
    Kokkos::InitializationSettings settings;
    settings.set_num_threads(threads);
    settings.set_disable_warnings(true);
    Kokkos::initialize(settings);
#else
    Kokkos::InitArguments arguments;
    arguments.num_threads = threads;
    arguments.disable_warnings = true;
    Kokkos::initialize(arguments);
#endif
}

/// Keeps freed memory in the process: tensors of a step are as large as those of the last one, and giving them back to
/// the system costs a page fault for every 4 kB of the next step (a tenth of a small network's step).
void keep_freed_memory()
{
#if defined(__GLIBC__)
    mallopt(M_MMAP_THRESHOLD, std::numeric_limits<int>::max());
    mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
#endif
}

}  // namespace

std::int64_t usable_cores()
{
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof(set), &set) != 0)
    {
        return 1;
    }
    return std::max(1, CPU_COUNT(&set));
}

std::int64_t cores_of_rank(const comm::World& world)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    std::string cores;
    if (sched_getaffinity(0, sizeof(set), &set) == 0)
    {
        for (int core = 0; core < CPU_SETSIZE; ++core)
        {
            cores += CPU_ISSET(core, &set) ? fmt::format("{},", core) : "";
        }
    }
    const auto mine = fmt::format("{}:{}", io::host_name(), cores);
    const auto all = comm::gather_texts(*world.communicator, mine);
    return std::max<std::int64_t>(1, usable_cores() / std::count(all.begin(), all.end(), mine));
}

ComputeSession::ComputeSession(std::int64_t threads, const comm::World& world)
    : threads_(threads > 0 ? threads : cores_of_rank(world))
{
    const auto count = static_cast<int>(threads_);
    keep_freed_memory();
    omp_set_num_threads(count);
    start_kokkos(count);
    at::set_num_threads(count);
    nn::use_one_blas_thread();
}

ComputeSession::~ComputeSession()
{
    Kokkos::finalize();
}

nn::Precision choose_precision(const config::Meta& meta)
{
    if (meta.device.starts_with("cuda") && !torch::cuda::is_available())
    {
        throw config::Error(
            fmt::format("meta.device: {}, but LibTorch sees no GPU here; use --set meta.device=cpu (or auto), or a "
                        "CUDA build on a GPU node",
                        meta.device));
    }
    switch (config::resolve_precision(meta, false, nn::cpu_has_bf16()))
    {
        case config::Precision::bf16:
            return nn::Precision::bf16;
        case config::Precision::fp64:
            return nn::Precision::fp64;
        case config::Precision::fp16:
            throw config::Error("meta.precision: fp16 needs a GPU; use bf16 or fp32 on a CPU");
        default:
            return nn::Precision::fp32;
    }
}
}  // namespace paws::tasks
