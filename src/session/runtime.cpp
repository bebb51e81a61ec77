#include "src/session/runtime.hpp"

#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <malloc.h>
#include <omp.h>
#include <sched.h>
#include <torch/types.h>

#include <Kokkos_Core.hpp>
#include <limits>
#include <vector>

#include "io/base/say.hpp"
#include "io/ranks/agreed.hpp"
#include "io/ranks/node.hpp"
#include "io/ranks/process_limits.hpp"
#include "src/config/config.hpp"
#include "src/device/blas_threads.hpp"
#include "src/device/device.hpp"
#include "src/session/memory_check.hpp"
#include "src/session/thread_settings.hpp"

namespace paws::session
{
namespace
{
void start_kokkos(int threads, const torch::Device& device)
{
#if KOKKOS_VERSION >= 30700
    Kokkos::InitializationSettings settings;
    settings.set_num_threads(threads);
    settings.set_disable_warnings(true);
    if (device.is_cuda())
    {
        settings.set_device_id(device.index());
    }
    Kokkos::initialize(settings);
#else
    Kokkos::InitArguments arguments;
    arguments.num_threads = threads;
    arguments.disable_warnings = true;
    if (device.is_cuda())
    {
        arguments.device_id = device.index();
    }
    Kokkos::initialize(arguments);
#endif
}

#ifdef KOKKOS_ENABLE_CUDA
/// Kokkos would end the process in words of its own.
void require_gpu_for_kokkos()
{
    if (device::gpu_count() == 0)
    {
        throw config::Error(
            "this build of paws_hpc is for GPUs, and does not start where there is none: LibTorch sees no GPU here; "
            "start it on a GPU node, or use a CPU build (cmake --preset cpu)");
    }
}

/// Kernels of ours and LibTorch's operators share memory and streams.
void require_same_gpu(const torch::Device& device)
{
    const auto of_kokkos = Kokkos::Cuda().cuda_device();
    if (device.is_cuda() && of_kokkos != device.index())
    {
        throw config::Error(
            fmt::format("Kokkos has started on GPU {}, but this rank computes on GPU {}; unset Kokkos' "
                        "variables in the environment (KOKKOS_VISIBLE_DEVICES, KOKKOS_DEVICE_ID)",
                        of_kokkos, device.index()));
    }
}
#endif

/// Keeps freed memory in the process: tensors of a step are as large as those of the last one, and giving them back to
/// the system costs a page fault for every 4 kB of the next step (a tenth of a small network's step).
void keep_freed_memory()
{
#if defined(__GLIBC__)
    mallopt(M_MMAP_THRESHOLD, std::numeric_limits<int>::max());
    mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
#endif
}

/// Lets this thread, and those that it starts beside OpenMP's, run on all of the rank's cores again: where
/// OMP_PROC_BIND or OMP_PLACES are set, OpenMP has bound it to the first of its places before the program began.
void unbind_this_thread()
{
    auto set = ranks::usable_core_set();
    for (int place = 0; place < omp_get_num_places(); ++place)
    {
        std::vector<int> cores(static_cast<std::size_t>(omp_get_place_num_procs(place)));
        omp_get_place_proc_ids(place, cores.data());
        for (const int core : cores)
        {
            CPU_SET(static_cast<std::size_t>(core), &set);
        }
    }
    if (omp_get_num_places() > 0)
    {
        sched_setaffinity(0, sizeof(set), &set);
    }
}
}  // namespace

ComputeSession::ComputeSession(std::int64_t threads, const comm::World& world)
{
    unbind_this_thread();
    const auto cores = threads > 0 ? threads : ranks::resources_of_rank(world.group()).cores;
    auto choice = agreed(world.group(), [&] { return choose_threads(threads, cores, omp_get_thread_limit()); });
    threads_ = choice.count;
    const auto count = static_cast<int>(threads_);
    agreed(world.group(),
           [&]
           {
               require_memory_to_compute(threads_, world);
               start_openmp(threads_);
           });
    const auto taken = take_kokkos_variables();
    choice.notes.insert(choice.notes.end(), taken.begin(), taken.end());
    for (const auto& note : world.is_first() ? choice.notes : std::vector<std::string>())
    {
        io::say(fmt::format("note: {}\n", note));
    }
    keep_freed_memory();
#ifdef KOKKOS_ENABLE_CUDA
    agreed(world.group(), &require_gpu_for_kokkos);
#endif
    // Kokkos makes its GPU the current one of this thread.
    start_kokkos(count, world.device);
#ifdef KOKKOS_ENABLE_CUDA
    agreed(world.group(), [&] { require_same_gpu(world.device); });
#endif
    at::set_num_threads(count);
    device::use_one_blas_thread();
}

ComputeSession::~ComputeSession()
{
    Kokkos::finalize();
}
}  // namespace paws::session
