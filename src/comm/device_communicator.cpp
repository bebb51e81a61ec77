#include "src/comm/device_communicator.hpp"

#include <stdexcept>

#ifdef PAWS_CUDA
#include "src/comm/nccl_communicator.hpp"
#endif

namespace paws::comm
{
std::shared_ptr<Communicator> communicator_on_device(std::shared_ptr<Communicator> host, const c10::Device& device,
                                                     [[maybe_unused]] std::chrono::milliseconds deadline,
                                                     [[maybe_unused]] OnDeviceFailure on_failure)
{
    if (device.is_cpu())
    {
        return host;
    }
    if (host->is_alone())
    {
        // Of one rank, MPI's refuses tensors on a device all the same.
        return make_single_rank();
    }
#ifdef PAWS_CUDA
    return make_nccl_communicator(std::move(host), device, deadline, std::move(on_failure));
#else
    throw std::invalid_argument("this build of paws_hpc has no NCCL for tensors on " + device.str() +
                                "; build it with CUDA");
#endif
}
}  // namespace paws::comm
