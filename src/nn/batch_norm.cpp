#include "src/nn/batch_norm.hpp"

#include "src/nn/batch_norm_relu.hpp"

namespace paws::nn
{
template <std::size_t D, class Derived>
torch::Tensor BatchNormImpl<D, Derived>::forward_by_libtorch(const torch::Tensor& x)
{
    if (this->is_training())
    {
        this->num_batches_tracked.add_(1);
    }
    return torch::batch_norm(x, this->weight, this->bias, this->running_mean, this->running_var, this->is_training(),
                             this->options.momentum().value(), this->options.eps(),
                             at::globalContext().userEnabledCuDNN());
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
