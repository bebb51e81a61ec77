#pragma once

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

#include <memory>

#include "src/comm/communicator.hpp"

namespace paws::nn
{
/// What a layer of batch normalisation has in addition to PyTorch's: the ranks whose images make its statistics in
/// training. All of them call it at the same time.
struct StatisticsOverRanks
{
    std::shared_ptr<comm::Communicator> ranks = comm::make_single_rank();
};

/// Parameters, buffers and options of PyTorch's layers, under their names. (LibTorch's own classes cannot be derived
/// from: their library keeps parts of them to itself.)
template <std::size_t D, class Derived>
class BatchNormImpl : public torch::nn::NormImplBase<D, Derived, torch::nn::BatchNormOptions>,
                      public StatisticsOverRanks
{
public:
    using torch::nn::NormImplBase<D, Derived, torch::nn::BatchNormOptions>::NormImplBase;

    /// LibTorch's operator on this rank alone.
    torch::Tensor forward_by_libtorch(const torch::Tensor& x);

private:
    void _check_input_dim(const torch::Tensor&) override {}
};

/// For images [N, C, H, W]. The networks apply it by batch_norm_relu and its kin, of which forward is the plainest.
class BatchNorm2dImpl : public BatchNormImpl<2, BatchNorm2dImpl>
{
public:
    using BatchNormImpl<2, BatchNorm2dImpl>::BatchNormImpl;
    torch::Tensor forward(const torch::Tensor& x);
};
TORCH_MODULE(BatchNorm2d);

/// For vectors [N, C].
class BatchNorm1dImpl : public BatchNormImpl<1, BatchNorm1dImpl>
{
public:
    using BatchNormImpl<1, BatchNorm1dImpl>::BatchNormImpl;
    torch::Tensor forward(const torch::Tensor& x);
};
TORCH_MODULE(BatchNorm1d);

/// From now on all layers of `module` take their training statistics over `ranks`: synchronised batch norm.
void synchronise_batch_norm(torch::nn::Module& module, const std::shared_ptr<comm::Communicator>& ranks);

/// Until module.train() is called again, all layers of `module` use their running statistics and leave them as they
/// are; their weights and biases go on learning.
void freeze_statistics(torch::nn::Module& module);
}  // namespace paws::nn
