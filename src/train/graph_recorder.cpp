#include "src/train/graph_recorder.hpp"

#ifdef PAWS_CUDA
#include <ATen/cuda/CUDAEvent.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <optional>

#include "src/device/torch_compat.hpp"
#endif

namespace paws::train
{
#ifdef PAWS_CUDA
namespace
{
using c10::cuda::CUDAStream;

/// Work that is launched on `later` from here on waits for what is on `earlier`.
void put_behind(const CUDAStream& later, const CUDAStream& earlier)
{
    at::cuda::CUDAEvent event;
    event.record(earlier);
    event.block(later);
}

class CudaRecorder final : public GraphRecorder
{
public:
    explicit CudaRecorder(torch::Device device)
        : stream_(c10::cuda::getStreamFromPool(false, device.index())), outside_(stream_)
    {
    }

    void enter() override
    {
        outside_ = c10::cuda::getCurrentCUDAStream(stream_.device_index());
        put_behind(stream_, outside_);
        guard_.emplace(stream_);
    }

    void leave() override
    {
        guard_.reset();
        put_behind(outside_, stream_);
    }

    void begin() override
    {
        // The graph's memory is its own: what steps have used so far goes back first.
        c10::cuda::device_synchronize();
        c10::cuda::CUDACachingAllocator::emptyCache();
        graph_.emplace();
#if PAWS_TORCH_AT_LEAST(2, 1)
        // The loader's threads go on with what a capture would forbid them.
        graph_->capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal);
#else
        graph_->capture_begin();
#endif
        is_open_ = true;
    }

    void end() override
    {
        is_open_ = false;
        graph_->capture_end();
    }

    void replay() override
    {
        graph_->replay();
    }

    void drop() override
    {
        if (is_open_)
        {
            try
            {
                end();
            }
            catch (const std::exception&)
            {
                // It was broken off: there is nothing to end.
            }
        }
        graph_.reset();
    }

private:
    CUDAStream stream_;
    CUDAStream outside_;  ///< the current one before enter()
    std::optional<c10::cuda::CUDAStreamGuard> guard_;
    std::optional<at::cuda::CUDAGraph> graph_;
    bool is_open_ = false;
};
}  // namespace
#endif

std::unique_ptr<GraphRecorder> make_graph_recorder(torch::Device device)
{
#ifdef PAWS_CUDA
    if (device.is_cuda())
    {
        return std::make_unique<CudaRecorder>(device);
    }
#else
    static_cast<void>(device);
#endif
    return nullptr;
}
}  // namespace paws::train
