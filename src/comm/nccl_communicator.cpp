#include "src/comm/nccl_communicator.hpp"

#include <ATen/cuda/CUDAContext.h>
#include <ATen/cuda/CUDAEvent.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAStream.h>
#include <fmt/format.h>
#include <nccl.h>

#include <cstring>
#include <mutex>

#include "src/comm/device_watch.hpp"

namespace paws::comm
{
namespace
{
void check_nccl(ncclResult_t code, const char* call)
{
    // A communicator that is still working on the last call says so.
    if (code != ncclSuccess && code != ncclInProgress)
    {
        throw Error(fmt::format("{} failed: {}", call, ncclGetErrorString(code)));
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
        case torch::kBFloat16:
            return ncclBfloat16;
        case torch::kFloat16:
            return ncclFloat16;
        case torch::kInt64:
            return ncclInt64;
        default:
            throw std::invalid_argument("NCCL does not carry this element type");
    }
}

std::size_t count_of(const torch::Tensor& values)
{
    if (!values.is_non_overlapping_and_dense())
    {
        throw std::invalid_argument("NCCL takes contiguous tensors");
    }
    return static_cast<std::size_t>(values.numel());
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

/// The end of a call on a stream.
std::shared_ptr<at::cuda::CUDAEvent> end_of_call(const c10::cuda::CUDAStream& stream)
{
    auto event = std::make_shared<at::cuda::CUDAEvent>(cudaEventDisableTiming);
    event->record(stream);
    return event;
}

class NcclPending final : public Pending
{
public:
    NcclPending(std::shared_ptr<at::cuda::CUDAEvent> event, torch::Tensor values)
        : event_(std::move(event)), values_(std::move(values))
    {
    }
    bool poll() override { return event_->query(); }
    void wait() override
    {
        event_->block(c10::cuda::getCurrentCUDAStream());
        values_ = torch::Tensor();
    }

private:
    std::shared_ptr<at::cuda::CUDAEvent> event_;
    torch::Tensor values_;
};

class NcclCommunicator final : public Communicator
{
public:
    NcclCommunicator(std::shared_ptr<Communicator> host, std::chrono::milliseconds deadline, OnDeviceFailure on_failure)
        : host_(std::move(host)),
          background_stream_(c10::cuda::getStreamFromPool(/*isHighPriority=*/true)),
          watch_(
              deadline, [this] { return asynchronous_error(); }, [this] { abort(); }, std::move(on_failure))
    {
        // Two communicators, so that calls in between need not come in the same order relative to those in the
        // background on all ranks.
        check_nccl(ncclCommInitRank(&calls_, host_->world_size(), common_id(*host_), host_->rank()),
                   "ncclCommInitRank");
        check_nccl(ncclCommInitRank(&background_, host_->world_size(), common_id(*host_), host_->rank()),
                   "ncclCommInitRank");
        watch_.start();
    }
    ~NcclCommunicator() override
    {
        watch_.stop();
        abort();
    }
    NcclCommunicator(const NcclCommunicator&) = delete;
    NcclCommunicator& operator=(const NcclCommunicator&) = delete;

    int rank() const override { return host_->rank(); }
    int world_size() const override { return host_->world_size(); }

    void all_reduce(const torch::Tensor& values) override
    {
        if (values.is_cuda())
        {
            reduce(values, calls_, c10::cuda::getCurrentCUDAStream());
            return;
        }
        host_->all_reduce(values);
    }

    std::unique_ptr<Pending> start_all_reduce(const torch::Tensor& values) override
    {
        if (!values.is_cuda())
        {
            return host_->start_all_reduce(values);
        }
        end_of_call(c10::cuda::getCurrentCUDAStream())->block(background_stream_);
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
        auto sizes = values.sizes().vec();
        sizes.at(0) *= world_size();
        const auto all = torch::empty(sizes, values.options().requires_grad(false));
        const auto stream = c10::cuda::getCurrentCUDAStream();
        check_nccl(ncclAllGather(values.data_ptr(), all.data_ptr(), count_of(values), type_of(values), calls_, stream),
                   "ncclAllGather");
        watch_.expect("ncclAllGather", end_of_call(stream));
        return all;
    }

    torch::Tensor reduce_scatter(const torch::Tensor& values) override
    {
        if (!values.is_cuda())
        {
            return host_->reduce_scatter(values);
        }
        auto sizes = values.sizes().vec();
        sizes.at(0) /= world_size();
        const auto mine = torch::empty(sizes, values.options().requires_grad(false));
        const auto stream = c10::cuda::getCurrentCUDAStream();
        check_nccl(ncclReduceScatter(values.data_ptr(), mine.data_ptr(), count_of(mine), type_of(values), ncclSum,
                                     calls_, stream),
                   "ncclReduceScatter");
        watch_.expect("ncclReduceScatter", end_of_call(stream));
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
        check_nccl(ncclBroadcast(values.data_ptr(), values.data_ptr(), count_of(values), type_of(values), root, calls_,
                                 stream),
                   "ncclBroadcast");
        watch_.expect("ncclBroadcast", end_of_call(stream));
    }

    void barrier() override { host_->barrier(); }
    double seconds_waiting() const override { return host_->seconds_waiting(); }

private:
    std::shared_ptr<at::cuda::CUDAEvent> reduce(const torch::Tensor& values, ncclComm_t comm,
                                                const c10::cuda::CUDAStream& stream)
    {
        check_nccl(ncclAllReduce(values.data_ptr(), values.data_ptr(), count_of(values), type_of(values), ncclSum, comm,
                                 stream),
                   "ncclAllReduce");
        auto end = end_of_call(stream);
        watch_.expect("ncclAllReduce", end);
        return end;
    }

    /// What NCCL's own threads have met, if anything.
    std::string asynchronous_error()
    {
        const std::lock_guard lock(mutex_);
        for (const auto comm : {calls_, background_})
        {
            ncclResult_t state = ncclSuccess;
            if (comm != nullptr && ncclCommGetAsyncError(comm, &state) == ncclSuccess && state != ncclSuccess &&
                state != ncclInProgress)
            {
                return ncclGetErrorString(state);
            }
        }
        return "";
    }

    /// Ends calls under way, also those that would wait for ever.
    void abort()
    {
        const std::lock_guard lock(mutex_);
        for (auto* const comm : {&calls_, &background_})
        {
            if (*comm != nullptr)
            {
                ncclCommAbort(*comm);
                *comm = nullptr;
            }
        }
    }

    std::shared_ptr<Communicator> host_;
    std::mutex mutex_;
    ncclComm_t calls_ = nullptr;
    ncclComm_t background_ = nullptr;
    c10::cuda::CUDAStream background_stream_;
    DeviceWatch<at::cuda::CUDAEvent> watch_;
};
}  // namespace

std::shared_ptr<Communicator> make_nccl_communicator(std::shared_ptr<Communicator> host,
                                                     std::chrono::milliseconds deadline, OnDeviceFailure on_failure)
{
    return std::make_shared<NcclCommunicator>(std::move(host), deadline, std::move(on_failure));
}
}  // namespace paws::comm
