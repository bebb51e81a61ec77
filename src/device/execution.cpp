#include "src/device/execution.hpp"

#ifdef KOKKOS_ENABLE_CUDA
#include <c10/cuda/CUDAStream.h>

#include <map>
#include <mutex>

namespace paws::device
{
namespace
{
/// Kokkos' instance of each stream: making one allocates on the device, which a step has no time for.
class Instances
{
public:
    CudaExec of(cudaStream_t stream)
    {
        const std::lock_guard lock(mutex_);
        if (instances_.empty())
        {
            // They must not outlive Kokkos.
            Kokkos::push_finalize_hook([this] { instances_.clear(); });
        }
        return instances_.try_emplace(stream, stream).first->second;
    }

private:
    std::mutex mutex_;
    std::map<cudaStream_t, CudaExec> instances_;
};
}  // namespace

CudaExec cuda_exec()
{
    static Instances instances;
    return instances.of(c10::cuda::getCurrentCUDAStream().stream());
}
}  // namespace paws::device
#endif
