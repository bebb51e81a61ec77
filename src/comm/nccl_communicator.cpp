#include "src/comm/nccl_communicator.hpp"

#include <ATen/cuda/CUDAContext.h>
#include <ATen/cuda/CUDAEvent.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAGraphsC10Utils.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <fmt/format.h>
#include <nccl.h>
#include <torch/types.h>

#include <atomic>
#include <cstring>
#include <mutex>

#include "src/comm/device_watch.hpp"

namespace paws::comm
{
namespace
{
void check_nccl(ncclResult_t code, const char* call)
{
    if (code != ncclSuccess)
    {
        throw ranks::CallError(
            fmt::format("{} failed: {} (NCCL_DEBUG=WARN says more)", call, ncclGetErrorString(code)));
    }
}

ncclDataType_t type_of(const torch::Tensor& values)
{
    switch (values.scalar_type())
    {
        case torch::kFloat64:
            return ncclFloat64;
        case torch::kFloat32:
            return ncclFloat32;
        case torch::kFloat16:
            return ncclFloat16;
        case torch::kInt64:
            return ncclInt64;
#if NCCL_VERSION_CODE >= NCCL_VERSION(2, 10, 0)
        case torch::kBFloat16:
            return ncclBfloat16;
#endif
        default:
            throw std::invalid_argument(fmt::format("NCCL {}.{} does not carry elements of type {}", NCCL_MAJOR,
                                                    NCCL_MINOR, c10::toString(values.scalar_type())));
    }
}

/// For calls that change the values where they are, in whatever order these lie.
std::size_t count_of(const torch::Tensor& values)
{
    if (!values.is_non_overlapping_and_dense())
    {
        throw std::invalid_argument("NCCL takes contiguous tensors");
    }
    return static_cast<std::size_t>(values.numel());
}

/// For calls whose result is another tensor, of rows one after the other.
const torch::Tensor& in_rows(const torch::Tensor& values)
{
    if (values.dim() == 0 || !values.is_contiguous())
    {
        throw std::invalid_argument("NCCL gathers and scatters the rows of contiguous tensors");
    }
    return values;
}

/// Every rank's id is that of rank 0; it travels as int64 words.
ncclUniqueId common_id(Communicator& host)
{
    ncclUniqueId id{};
    if (host.rank() == 0)
    {
        check_nccl(ncclGetUniqueId(&id), "ncclGetUniqueId");
    }
    const auto words = torch::zeros({(static_cast<std::int64_t>(sizeof(id)) + 7) / 8}, torch::kInt64);
    std::memcpy(words.data_ptr(), &id, sizeof(id));
    host.broadcast(words, 0);
    std::memcpy(&id, words.data_ptr(), sizeof(id));
    return id;
}

/// Whether LibTorch's current stream is being captured into a graph.
bool is_capturing()
{
    return c10::cuda::currentStreamCaptureStatusMayInitCtx() != c10::cuda::CaptureStatus::None;
}

/// NCCL learned to be captured with 2.9.6.
void require_capture()
{
    int version = 0;
    check_nccl(ncclGetVersion(&version), "ncclGetVersion");
    if (version < 20906)
    {
        throw ranks::CallError("a graph of a step on several ranks needs NCCL 2.9.6 or later");
    }
}

/// The end of a call: first the host makes it, which takes long where connections are made, then the device does it.
/// The host's thread writes, the watch's reads.
class End
{
public:
    /// The host has made the call.
    void record(const c10::cuda::CUDAStream& stream)
    {
        event_.record(stream);
        state_.store(State::on_device, std::memory_order_release);
    }
    /// The call needs no device, or has been captured, so that its event is one of a graph, which nobody may query.
    void leave() { state_.store(State::left, std::memory_order_release); }

    bool query() const
    {
        const auto state = state_.load(std::memory_order_acquire);
        return state == State::left || (state == State::on_device && event_.query());
    }
    void block(const c10::cuda::CUDAStream& stream) { event_.block(stream); }

private:
    enum class State
    {
        on_host,
        on_device,
        left
    };

    at::cuda::CUDAEvent event_{cudaEventDisableTiming};
    std::atomic<State> state_ = State::on_host;
};

class NcclPending final : public Pending
{
public:
    NcclPending(std::shared_ptr<End> end, torch::Tensor values) : end_(std::move(end)), values_(std::move(values)) {}
    bool poll() override { return end_->query(); }
    void wait() override
    {
        end_->block(c10::cuda::getCurrentCUDAStream());
        values_ = torch::Tensor();
    }

private:
    std::shared_ptr<End> end_;
    torch::Tensor values_;
};

class NcclCommunicator final : public Communicator
{
public:
    NcclCommunicator(std::shared_ptr<Communicator> host, const torch::Device& device,
                     std::chrono::milliseconds deadline, OnDeviceFailure on_failure)
        : Communicator(host->group()),
          host_(std::move(host)),
          device_(device),
          background_stream_(c10::cuda::getStreamFromPool(/*isHighPriority=*/true, device.index())),
          watch_(deadline, {[this] { enter_watch(); }, [this] { return asynchronous_error(); }, std::move(on_failure),
                            [this] { abort(); }})
    {
        const c10::cuda::CUDAGuard guard(device_);
        watch_.start();
        // Two communicators, so that calls in between need not come in the same order relative to those in the
        // background on all ranks.
        connect(calls_);
        connect(background_);
    }
    ~NcclCommunicator() override
    {
        const c10::cuda::CUDAGuard guard(device_);
        // Other ranks may still need this one's part of the last calls. One that never ends is the watch's business.
        const bool is_idle = cudaDeviceSynchronize() == cudaSuccess;
        watch_.stop();
        is_idle ? destroy() : abort();
    }
    NcclCommunicator(const NcclCommunicator&) = delete;
    NcclCommunicator& operator=(const NcclCommunicator&) = delete;

    void all_reduce(const torch::Tensor& values) override
    {
        if (!values.is_cuda())
        {
            host_->all_reduce(values);
            return;
        }
        reduce(values, calls_, c10::cuda::getCurrentCUDAStream());
    }

    std::unique_ptr<Pending> start_all_reduce(const torch::Tensor& values) override
    {
        if (!values.is_cuda())
        {
            return host_->start_all_reduce(values);
        }
        at::cuda::CUDAEvent values_are_there(cudaEventDisableTiming);
        values_are_there.record(c10::cuda::getCurrentCUDAStream());
        values_are_there.block(background_stream_);
        // The allocator must not give the memory to others before the background is done with it.
        c10::cuda::CUDACachingAllocator::recordStream(values.storage().data_ptr(), background_stream_);
        return std::make_unique<NcclPending>(reduce(values, background_, background_stream_), values);
    }

    torch::Tensor all_gather(const torch::Tensor& values) override
    {
        if (!values.is_cuda())
        {
            return host_->all_gather(values);
        }
        auto sizes = in_rows(values).sizes().vec();
        sizes.front() *= world_size();
        const auto all = torch::empty(sizes, values.options().requires_grad(false));
        const auto stream = c10::cuda::getCurrentCUDAStream();
        make_call("ncclAllGather", stream,
                  [&] {
                      return ncclAllGather(values.data_ptr(), all.data_ptr(), count_of(values), type_of(values), calls_,
                                           stream);
                  });
        return all;
    }

    torch::Tensor reduce_scatter(const torch::Tensor& values) override
    {
        if (!values.is_cuda())
        {
            return host_->reduce_scatter(values);
        }
        auto sizes = in_rows(values).sizes().vec();
        sizes.front() /= world_size();
        const auto mine = torch::empty(sizes, values.options().requires_grad(false));
        const auto stream = c10::cuda::getCurrentCUDAStream();
        make_call("ncclReduceScatter", stream,
                  [&]
                  {
                      return ncclReduceScatter(values.data_ptr(), mine.data_ptr(), count_of(mine), type_of(values),
                                               ncclSum, calls_, stream);
                  });
        return mine;
    }

    void broadcast(const torch::Tensor& values, int root) override
    {
        if (!values.is_cuda())
        {
            host_->broadcast(values, root);
            return;
        }
        const auto stream = c10::cuda::getCurrentCUDAStream();
        make_call("ncclBroadcast", stream,
                  [&]
                  {
                      return ncclBroadcast(values.data_ptr(), values.data_ptr(), count_of(values), type_of(values),
                                           root, calls_, stream);
                  });
    }

    void barrier() override { host_->barrier(); }
    double seconds_waiting() const override { return host_->seconds_waiting(); }

private:
    void connect(ncclComm_t& comm)
    {
        const auto id = common_id(*host_);
        const auto end = std::make_shared<End>();
        watch_.expect("ncclCommInitRank", end);
        ncclComm_t made = nullptr;
        check_nccl(ncclCommInitRank(&made, host_->world_size(), id, host_->rank()), "ncclCommInitRank");
        end->leave();
        const std::lock_guard lock(mutex_);
        comm = made;
    }

    /// `call` enqueues on `stream`, under the eyes of the watch.
    template <class Call>
    std::shared_ptr<End> make_call(const char* name, const c10::cuda::CUDAStream& stream, const Call& call)
    {
        auto end = std::make_shared<End>();
        const bool captured = is_capturing();
        if (captured)
        {
            require_capture();
        }
        else
        {
            watch_.expect(name, end);
        }
        check_nccl(call(), name);
        end->record(stream);
        if (captured)
        {
            end->leave();
        }
        return end;
    }

    std::shared_ptr<End> reduce(const torch::Tensor& values, ncclComm_t comm, const c10::cuda::CUDAStream& stream)
    {
        return make_call("ncclAllReduce", stream,
                         [&]
                         {
                             return ncclAllReduce(values.data_ptr(), values.data_ptr(), count_of(values),
                                                  type_of(values), ncclSum, comm, stream);
                         });
    }

    /// The watch's thread looks at events of this device: without it as the current one, it would make a context on the
    /// first, and where another thread captures a graph, it would break that.
    void enter_watch() const
    {
        C10_CUDA_CHECK(cudaSetDevice(device_.index()));
        auto mode = cudaStreamCaptureModeThreadLocal;
        C10_CUDA_CHECK(cudaThreadExchangeStreamCaptureMode(&mode));
    }

    /// What NCCL's own threads have met, if anything.
    std::string asynchronous_error()
    {
        const std::lock_guard lock(mutex_);
        for (const auto comm : {calls_, background_})
        {
            ncclResult_t state = ncclSuccess;
            if (comm != nullptr && ncclCommGetAsyncError(comm, &state) == ncclSuccess && state != ncclSuccess)
            {
                return ncclGetErrorString(state);
            }
        }
        return "";
    }

    template <class Finish>
    void finish_both(const Finish& finish)
    {
        const std::lock_guard lock(mutex_);
        for (auto* const comm : {&calls_, &background_})
        {
            if (*comm != nullptr)
            {
                finish(*comm);
                *comm = nullptr;
            }
        }
    }

    /// Of communicators that have nothing under way.
    void destroy()
    {
        finish_both([](ncclComm_t comm) { ncclCommDestroy(comm); });
    }

    /// Ends calls under way, also those that would wait for ever.
    void abort()
    {
        finish_both([](ncclComm_t comm) { ncclCommAbort(comm); });
    }

    std::shared_ptr<Communicator> host_;
    torch::Device device_;
    std::mutex mutex_;
    ncclComm_t calls_ = nullptr;
    ncclComm_t background_ = nullptr;
    c10::cuda::CUDAStream background_stream_;
    DeviceWatch<End> watch_;
};
}  // namespace

std::shared_ptr<Communicator> make_nccl_communicator(std::shared_ptr<Communicator> host, const torch::Device& device,
                                                     std::chrono::milliseconds deadline, OnDeviceFailure on_failure)
{
    return std::make_shared<NcclCommunicator>(std::move(host), device, deadline, std::move(on_failure));
}
}  // namespace paws::comm
