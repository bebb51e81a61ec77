#pragma once

#include <torch/types.h>

namespace paws::device
{
/// out = a b, or out += a b. a: [N, K], b: [K, M], of any strides; out: [N, M], contiguous; all of one type, without
/// gradient.
/// On a device it is the vendor library's product, on LibTorch's current stream. In host memory every thread of
/// LibTorch's pool calls the vendor library for its share of the rows of `out`. The library's own threads are left
/// alone: OpenBLAS' go on spinning for milliseconds after each product and take the cores away from the kernels that
/// come next.
void multiply(const torch::Tensor& a, const torch::Tensor& b, const torch::Tensor& out);
void multiply_add(const torch::Tensor& a, const torch::Tensor& b, const torch::Tensor& out);
}  // namespace paws::device
