#include "src/comm/gradient_reducer.hpp"

#include <torch/types.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "src/comm/gradient_hooks.hpp"

namespace paws::comm
{
namespace
{
/// Memory of a bucket and the parameters that have a piece of it.
struct Bucket
{
    torch::Tensor memory;
    std::vector<std::size_t> parameters;
    std::size_t ready = 0;
    std::unique_ptr<Pending> pending;
};
}  // namespace

class GradientReducer::Impl
{
public:
    Impl(const NamedTensors& parameters, std::shared_ptr<Communicator> communicator, const ReducerSettings& settings)
        : communicator_(std::move(communicator)), settings_(settings), scale_(torch::scalar_tensor(1.0))
    {
        for (const auto& [name, parameter] : parameters)
        {
            parameters_.push_back(parameter);
        }
        if (communicator_->is_alone() || parameters_.empty())
        {
            return;
        }
        wire_type_ = settings_.wire_type.value_or(parameters_.front().scalar_type());
        scale_ = torch::scalar_tensor(1.0 / communicator_->world_size(), parameters_.front().options());
        // Gradients come out from the last layer on.
        std::vector<std::int64_t> order(parameters_.size());
        std::iota(order.rbegin(), order.rend(), 0);
        make_buckets(order);
        hooks_ = GradientHooks(parameters_, [this](std::size_t index) { gradient_ready(index); });
    }

    bool is_needed() const { return !buckets_.empty(); }
    std::size_t bucket_count() const { return buckets_.size(); }

    void start()
    {
        ready_order_.clear();
        next_ = ended_ = 0;
        is_ready_.assign(parameters_.size(), false);
        for (auto& bucket : buckets_)
        {
            bucket.ready = 0;
        }
        active_ = is_needed();
    }

    void gradient_ready(std::size_t index)
    {
        // Backward passes outside of start() and finish() are none of ours.
        if (!active_)
        {
            return;
        }
        if (is_ready_[index])
        {
            throw std::logic_error("gradients are reduced once a step: a second backward pass came before finish()");
        }
        take(index, parameters_[index].grad());
        // What lets one call go on lets all.
        while (ended_ < next_ && buckets_[ended_].pending->poll())
        {
            ++ended_;
        }
    }

    void finish()
    {
        if (!active_)
        {
            return;
        }
        active_ = false;
        for (std::size_t i = 0; i < parameters_.size(); ++i)
        {
            if (!is_ready_[i])
            {
                take(i, torch::zeros_like(parameters_[i]));
            }
        }
        for (auto& bucket : buckets_)
        {
            bucket.pending->wait();
            bucket.pending.reset();
            give_back(bucket);
        }
        if (!has_order_)
        {
            has_order_ = true;
            const auto order = torch::tensor(ready_order_, torch::kInt64);
            communicator_->broadcast(order, 0);
            const auto* const first = order.data_ptr<std::int64_t>();
            // The gradients of this step still lie in the old buckets, which live as long as they do.
            make_buckets({first, first + order.numel()});
        }
    }

private:
    void make_buckets(const std::vector<std::int64_t>& order)
    {
        buckets_.clear();
        slices_.assign(parameters_.size(), {});
        bucket_of_.assign(parameters_.size(), 0);
        const auto element = static_cast<std::int64_t>(torch::elementSize(wire_type_));
        std::int64_t used = 0;
        for (const auto i : order)
        {
            const auto index = static_cast<std::size_t>(i);
            const auto bytes = parameters_[index].numel() * element;
            if (buckets_.empty() || (used > 0 && used + bytes > settings_.bucket_bytes))
            {
                buckets_.emplace_back();
                used = 0;
            }
            buckets_.back().parameters.push_back(index);
            bucket_of_[index] = buckets_.size() - 1;
            used += bytes;
        }
        for (auto& bucket : buckets_)
        {
            std::int64_t size = 0;
            for (const auto index : bucket.parameters)
            {
                size += parameters_[index].numel();
            }
            bucket.memory = torch::empty({size}, parameters_.front().options().dtype(wire_type_).requires_grad(false));
            std::int64_t begin = 0;
            for (const auto index : bucket.parameters)
            {
                const auto& parameter = parameters_[index];
                // In the order of the parameter's own memory, which may be channels-last.
                slices_[index] = bucket.memory.as_strided(parameter.sizes(), parameter.strides(), begin);
                begin += parameter.numel();
            }
        }
    }

    /// Puts a gradient into its bucket, and starts the buckets that are full, in their order.
    void take(std::size_t index, const torch::Tensor& gradient)
    {
        const torch::NoGradGuard no_gradient;
        // Divided before it is summed, so that half precision does not overflow.
        at::mul_out(slices_[index], gradient, scale_);
        is_ready_[index] = true;
        ready_order_.push_back(static_cast<std::int64_t>(index));
        ++buckets_[bucket_of_[index]].ready;
        while (next_ < buckets_.size() && buckets_[next_].ready == buckets_[next_].parameters.size())
        {
            buckets_[next_].pending = communicator_->start_all_reduce(buckets_[next_].memory);
            ++next_;
        }
    }

    void give_back(const Bucket& bucket)
    {
        const torch::NoGradGuard no_gradient;
        for (const auto index : bucket.parameters)
        {
            auto& parameter = parameters_[index];
            if (wire_type_ == parameter.scalar_type())
            {
                parameter.mutable_grad() = slices_[index];
            }
            else
            {
                parameter.mutable_grad() = torch::empty_like(parameter).copy_(slices_[index]);
            }
        }
    }

    std::shared_ptr<Communicator> communicator_;
    ReducerSettings settings_;
    torch::Tensor scale_;
    torch::ScalarType wire_type_ = torch::kFloat32;
    std::vector<torch::Tensor> parameters_;
    std::vector<torch::Tensor> slices_;  ///< of each parameter, in its bucket
    std::vector<std::size_t> bucket_of_;
    std::vector<Bucket> buckets_;
    std::vector<bool> is_ready_;
    std::vector<std::int64_t> ready_order_;
    std::size_t next_ = 0;   ///< the first bucket that has not been started
    std::size_t ended_ = 0;  ///< the first bucket that is not known to have ended
    bool active_ = false;
    bool has_order_ = false;
    GradientHooks hooks_;
};

GradientReducer::GradientReducer(const NamedTensors& parameters, std::shared_ptr<Communicator> communicator,
                                 const ReducerSettings& settings)
    : impl_(std::make_unique<Impl>(parameters, std::move(communicator), settings))
{
}

GradientReducer::~GradientReducer() = default;

void GradientReducer::start()
{
    impl_->start();
}

void GradientReducer::finish()
{
    impl_->finish();
}

std::int64_t GradientReducer::bucket_count() const
{
    return static_cast<std::int64_t>(impl_->bucket_count());
}
}  // namespace paws::comm
