#include "src/nn/batch_norm.hpp"

#include <torch/csrc/autograd/function.h>

#include "src/nn/batch_norm_observer.hpp"
#include "src/nn/batch_norm_relu.hpp"

namespace paws::nn
{
namespace
{
/// Tells the observer of the backward pass of one call.
class TellSums final : public torch::autograd::FunctionPreHook
{
public:
    TellSums(const void* call, std::int64_t bytes) : call_(call), bytes_(bytes) {}
    torch::autograd::variable_list operator()(const torch::autograd::variable_list& grads) override
    {
        if (BatchNormObserver::active)
        {
            BatchNormObserver::active->sums_ready(call_, bytes_);
        }
        return grads;
    }

private:
    const void* call_;
    std::int64_t bytes_;
};

/// y: what a layer in training has made of its batch.
void tell_observer(const torch::Tensor& y, const torch::Tensor& weight)
{
    if (BatchNormObserver::active && y.grad_fn())
    {
        const auto& node = y.grad_fn();
        BatchNormObserver::active->statistics_ready(node.get(), weight.numel(), statistics_bytes(weight.numel()));
        node->add_pre_hook(std::make_unique<TellSums>(node.get(), 2 * static_cast<std::int64_t>(weight.nbytes())));
    }
}
}  // namespace

template <std::size_t D, class Derived>
torch::Tensor BatchNormImpl<D, Derived>::forward_by_libtorch(const torch::Tensor& x)
{
    if (this->is_training())
    {
        this->num_batches_tracked.add_(1);
    }
    auto y = torch::batch_norm(x, this->weight, this->bias, this->running_mean, this->running_var, this->is_training(),
                               this->options.momentum().value(), this->options.eps(),
                               at::globalContext().userEnabledCuDNN());
    if (this->is_training())
    {
        tell_observer(y, this->weight);
    }
    return y;
}

template class BatchNormImpl<1, BatchNorm1dImpl>;
template class BatchNormImpl<2, BatchNorm2dImpl>;

torch::Tensor BatchNorm1dImpl::forward(const torch::Tensor& x)
{
    return ranks->is_alone() || !is_training() ? forward_by_libtorch(x) : fused_batch_norm_of_vectors(*this, x);
}

torch::Tensor BatchNorm2dImpl::forward(const torch::Tensor& x)
{
    return batch_norm(*this, x);
}

void freeze_statistics(torch::nn::Module& module)
{
    for (const auto& child : module.modules())
    {
        if (dynamic_cast<StatisticsOverRanks*>(child.get()))
        {
            child->eval();
        }
    }
}

void synchronise_batch_norm(torch::nn::Module& module, const std::shared_ptr<comm::Communicator>& ranks)
{
    for (const auto& child : module.modules())
    {
        if (auto* const layer = dynamic_cast<StatisticsOverRanks*>(child.get()))
        {
            layer->ranks = ranks;
        }
    }
}
}  // namespace paws::nn
