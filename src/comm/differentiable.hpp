#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "src/comm/communicator.hpp"

namespace paws::comm
{
/// [N, ...] of every rank, rank after rank: [W · N, ...]. The gradient of a rank's rows is the sum of what all ranks'
/// losses have for them, as published: means over ranks are taken later, of the parameters' gradients.
at::Tensor gather_with_gradient(const std::shared_ptr<Communicator>& communicator, const at::Tensor& values);
}  // namespace paws::comm
