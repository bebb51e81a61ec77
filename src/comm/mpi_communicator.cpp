#include "src/comm/mpi_communicator.hpp"

#include <fmt/format.h>
#include <torch/types.h>

#include <limits>

#include "io/ranks/wait.hpp"

namespace paws::comm
{
namespace
{
using ranks::check_mpi;
using Clock = std::chrono::steady_clock;

/// A step waits for few milliseconds, and then for nothing else.
constexpr std::chrono::microseconds longest_pause(50);

template <class Half>
void sum_halves(void* in, void* in_out, int* count, MPI_Datatype*)
{
    const auto* const added = static_cast<const Half*>(in);
    auto* const sum = static_cast<Half*>(in_out);
    for (int i = 0; i < *count; ++i)
    {
        sum[i] = static_cast<Half>(static_cast<float>(sum[i]) + static_cast<float>(added[i]));
    }
}

/// MPI has no 16-bit floats: they are two bytes, with a sum of their own.
class HalfSum
{
public:
    explicit HalfSum(MPI_User_function* function)
    {
        check_mpi(MPI_Op_create(function, 1, &operation_), "MPI_Op_create");
    }
    ~HalfSum() { MPI_Op_free(&operation_); }
    HalfSum(const HalfSum&) = delete;
    HalfSum& operator=(const HalfSum&) = delete;
    MPI_Op get() const { return operation_; }

private:
    MPI_Op operation_ = MPI_OP_NULL;
};

class Duplicate
{
public:
    explicit Duplicate(MPI_Comm from)
    {
        check_mpi(MPI_Comm_dup(from, &comm_), "MPI_Comm_dup");
        check_mpi(MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    }
    ~Duplicate() { MPI_Comm_free(&comm_); }
    Duplicate(const Duplicate&) = delete;
    Duplicate& operator=(const Duplicate&) = delete;
    MPI_Comm get() const { return comm_; }

private:
    MPI_Comm comm_ = MPI_COMM_NULL;
};

/// What all calls of a communicator have in common.
struct Waiting
{
    std::chrono::milliseconds deadline;
    Clock::duration total{};
};

class MpiPending final : public Pending
{
public:
    MpiPending(MPI_Request request, const char* call, std::shared_ptr<Waiting> waiting,
               std::shared_ptr<const Duplicate> comm, torch::Tensor values)
        : request_(request), call_(call), waiting_(std::move(waiting)), held_{std::move(comm), std::move(values)}
    {
    }
    ~MpiPending() override
    {
        // On the way out with an error. MPI offers no way to take a collective call back, and this one may still write
        // into its tensor, so both stay for the rest of the process.
        if (request_ != MPI_REQUEST_NULL)
        {
            static_cast<void>(new Held(std::move(held_)));
        }
    }
    MpiPending(const MpiPending&) = delete;
    MpiPending& operator=(const MpiPending&) = delete;

    bool poll() override
    {
        int ended = 0;
        check_mpi(MPI_Test(&request_, &ended, MPI_STATUS_IGNORE), call_);
        return ended != 0;
    }

    void wait() override
    {
        const auto start = Clock::now();
        ranks::wait_until([this] { return poll(); }, waiting_->deadline, call_, longest_pause);
        waiting_->total += Clock::now() - start;
    }

private:
    struct Held
    {
        std::shared_ptr<const Duplicate> comm;
        torch::Tensor values;
    };

    MPI_Request request_;
    const char* call_;
    std::shared_ptr<Waiting> waiting_;
    Held held_;
};

class MpiCommunicator final : public Communicator
{
public:
    MpiCommunicator(MPI_Comm comm, std::chrono::milliseconds deadline)
        : Communicator(ranks::Group(comm).with_deadline(deadline).naming_ranks(true)),
          comm_(std::make_shared<Duplicate>(comm)),
          background_(std::make_shared<Duplicate>(comm)),
          waiting_(std::make_shared<Waiting>(Waiting{deadline})),
          bfloat16_sum_(&sum_halves<c10::BFloat16>),
          float16_sum_(&sum_halves<c10::Half>)
    {
    }

    void all_reduce(const torch::Tensor& values) override { reduce(values, comm_)->wait(); }

    std::unique_ptr<Pending> start_all_reduce(const torch::Tensor& values) override
    {
        // A communicator of its own: calls in between need not come in the same order relative to these.
        return reduce(values, background_);
    }

    torch::Tensor all_gather(const torch::Tensor& values) override
    {
        auto sizes = values.sizes().vec();
        sizes.at(0) *= world_size();
        const auto all = torch::empty(sizes, values.options().requires_grad(false));
        const auto type = type_of(values);
        const auto count = count_of(values);
        MPI_Request request = MPI_REQUEST_NULL;
        check_mpi(MPI_Iallgather(values.data_ptr(), count, type, all.data_ptr(), count, type, comm_->get(), &request),
                  "MPI_Iallgather");
        wait(request, "MPI_Iallgather", all);
        return all;
    }

    torch::Tensor reduce_scatter(const torch::Tensor& values) override
    {
        auto sizes = values.sizes().vec();
        sizes.at(0) /= world_size();
        const auto mine = torch::empty(sizes, values.options().requires_grad(false));
        MPI_Request request = MPI_REQUEST_NULL;
        check_mpi(MPI_Ireduce_scatter_block(checked(values).data_ptr(), mine.data_ptr(), count_of(mine),
                                            type_of(values), sum_of(values), comm_->get(), &request),
                  "MPI_Ireduce_scatter_block");
        wait(request, "MPI_Ireduce_scatter_block", mine);
        return mine;
    }

    void broadcast(const torch::Tensor& values, int root) override
    {
        MPI_Request request = MPI_REQUEST_NULL;
        check_mpi(MPI_Ibcast(values.data_ptr(), count_of(values), type_of(values), root, comm_->get(), &request),
                  "MPI_Ibcast");
        wait(request, "MPI_Ibcast", values);
    }

    void barrier() override
    {
        MPI_Request request = MPI_REQUEST_NULL;
        check_mpi(MPI_Ibarrier(comm_->get(), &request), "MPI_Ibarrier");
        wait(request, "MPI_Ibarrier", {});
    }

    double seconds_waiting() const override { return std::chrono::duration<double>(waiting_->total).count(); }

private:
    void wait(MPI_Request request, const char* call, const torch::Tensor& values)
    {
        MpiPending(request, call, waiting_, comm_, values).wait();
    }

    std::unique_ptr<Pending> reduce(const torch::Tensor& values, const std::shared_ptr<const Duplicate>& comm)
    {
        MPI_Request request = MPI_REQUEST_NULL;
        check_mpi(MPI_Iallreduce(MPI_IN_PLACE, values.data_ptr(), count_of(values), type_of(values), sum_of(values),
                                 comm->get(), &request),
                  "MPI_Iallreduce");
        return std::make_unique<MpiPending>(request, "MPI_Iallreduce", waiting_, comm, values);
    }

    static const torch::Tensor& checked(const torch::Tensor& values)
    {
        if (!values.device().is_cpu() || !values.is_non_overlapping_and_dense())
        {
            throw std::invalid_argument("the MPI communicator takes contiguous tensors in host memory");
        }
        return values;
    }

    static int count_of(const torch::Tensor& values)
    {
        const auto count = checked(values).numel();
        if (count > std::numeric_limits<int>::max())
        {
            throw std::invalid_argument(fmt::format("{} values are too many for one MPI call", count));
        }
        return static_cast<int>(count);
    }

    static MPI_Datatype type_of(const torch::Tensor& values)
    {
        switch (values.scalar_type())
        {
            case torch::kFloat64:
                return MPI_DOUBLE;
            case torch::kFloat32:
                return MPI_FLOAT;
            case torch::kInt64:
                return MPI_INT64_T;
            case torch::kBFloat16:
            case torch::kFloat16:
                return MPI_UINT16_T;
            default:
                throw std::invalid_argument("the MPI communicator does not carry this element type");
        }
    }

    MPI_Op sum_of(const torch::Tensor& values) const
    {
        switch (values.scalar_type())
        {
            case torch::kBFloat16:
                return bfloat16_sum_.get();
            case torch::kFloat16:
                return float16_sum_.get();
            default:
                return MPI_SUM;
        }
    }

    std::shared_ptr<const Duplicate> comm_;
    std::shared_ptr<const Duplicate> background_;
    std::shared_ptr<Waiting> waiting_;
    HalfSum bfloat16_sum_;
    HalfSum float16_sum_;
};
}  // namespace

std::shared_ptr<Communicator> make_mpi_communicator(MPI_Comm comm, std::chrono::milliseconds deadline)
{
    return std::make_shared<MpiCommunicator>(comm, deadline);
}
}  // namespace paws::comm
