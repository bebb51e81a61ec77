#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "io/ranks/group.hpp"

namespace paws::comm
{
/// A collective call under way. Its tensor must not be touched before wait() has returned.
class Pending
{
public:
    virtual ~Pending() = default;
    /// Whether it has ended; lets it go on if not. Throws ranks::CallError.
    virtual bool poll() = 0;
    /// Throws ranks::CallError.
    virtual void wait() = 0;
};

/// The ranks that train together. Every rank must make the same calls in the same order, with tensors of the same shape
/// and type: contiguous; float32, float64, bfloat16, float16, or int64. Results are the same bits on all ranks. A call
/// that the others do not answer within the group's deadline throws ranks::CallError, which names the call.
class Communicator
{
public:
    virtual ~Communicator() = default;
    Communicator(const Communicator&) = delete;
    Communicator& operator=(const Communicator&) = delete;

    /// The same ranks, for what is no tensor.
    const ranks::Group& group() const { return group_; }
    int rank() const { return group_.rank(); }
    int world_size() const { return group_.size(); }
    bool is_alone() const { return group_.is_alone(); }

    /// The sum over all ranks, in place.
    virtual void all_reduce(const at::Tensor& values) = 0;
    /// The same, going on by itself as far as the library can; several may be under way, started in the same order on
    /// all ranks.
    virtual std::unique_ptr<Pending> start_all_reduce(const at::Tensor& values) = 0;
    /// [N, ...] of every rank, rank after rank: [W · N, ...].
    virtual at::Tensor all_gather(const at::Tensor& values) = 0;
    /// [W · N, ...]: the sum over all ranks of what each has for this rank, [N, ...].
    virtual at::Tensor reduce_scatter(const at::Tensor& values) = 0;
    /// The values of rank `root` to all, in place.
    virtual void broadcast(const at::Tensor& values, int root) = 0;
    virtual void barrier() = 0;

    /// How long calls have kept their callers so far, waiting for slower ranks included.
    virtual double seconds_waiting() const = 0;

protected:
    explicit Communicator(ranks::Group group = {}) : group_(group) {}

private:
    ranks::Group group_;
};

/// A world of one rank, which needs no library.
std::shared_ptr<Communicator> make_single_rank();
}  // namespace paws::comm
