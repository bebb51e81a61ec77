#include "src/tasks/runtime.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <omp.h>
#include <sched.h>
#include <torch/torch.h>

#include <Kokkos_Core.hpp>
#include <algorithm>

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

/// LibTorch sets no threads of a BLAS with a pool of its own.
void set_openblas_threads(int threads)
{
    using Setter = void (*)(int);
    if (auto* const setter = reinterpret_cast<Setter>(dlsym(RTLD_DEFAULT, "openblas_set_num_threads")))
    {
        setter(threads);
    }
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

ComputeSession::ComputeSession(std::int64_t threads) : threads_(threads > 0 ? threads : usable_cores())
{
    const auto count = static_cast<int>(threads_);
    omp_set_num_threads(count);
    start_kokkos(count);
    at::set_num_threads(count);
    set_openblas_threads(count);
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
