#pragma once

#include <torch/types.h>

#include <algorithm>
#include <cstdint>

#include "kernels/l2_normalize.hpp"
#include "kernels/soft_nearest_neighbours.hpp"
#include "src/device/matrix_product.hpp"
#include "src/device/tensor_view.hpp"
#include "src/loss/support_labels.hpp"

// The pieces that everything with soft nearest neighbours is put together from: labels as kernels take them, unit rows,
// and blocks of queries that bound the memory of the similarities. All tensors of a call lie where `exec` works.

namespace paws::loss
{
/// int32 [M]: see SupportLabels::members.
template <class Exec>
device::TensorView<const std::int32_t, 1, Exec> order_of(const Exec& exec, const SupportLabels& labels)
{
    return device::view_of<const std::int32_t, 1>(exec, labels.members());
}

template <class Exec>
kernels::ClassSegments<device::TensorView<const std::int32_t, 1, Exec>> segments_of(const Exec& exec,
                                                                                    const SupportLabels& labels)
{
    return {device::view_of<const std::int32_t, 1>(exec, labels.offsets()), labels.on(), labels.off()};
}

struct UnitRows
{
    torch::Tensor rows;   ///< [N, D], of length one
    torch::Tensor norms;  ///< [N], the lengths before
};

/// The rows of x [N, D] (Scalar) divided by their lengths, in the order given (see l2_normalize).
template <class Scalar, class Exec, class Order = kernels::SameOrder>
UnitRows unit_rows(const Exec& exec, const torch::Tensor& x, const Order& order = {})
{
    const auto source = x.detach().contiguous();
    UnitRows result{torch::empty_like(source), torch::empty({source.size(0)}, source.options())};
    kernels::l2_normalize(exec, device::view_of<const Scalar, 2>(exec, source),
                          device::view_of<Scalar, 2>(exec, result.rows), device::view_of<Scalar, 1>(exec, result.norms),
                          order);
    return result;
}

/// How many queries may share a block of similarities with `supports` columns in `bytes` of memory; at least one.
inline std::int64_t queries_of_block(std::int64_t supports, std::size_t element_size, std::int64_t bytes)
{
    return std::max<std::int64_t>(
        1, bytes / std::max<std::int64_t>(1, supports * static_cast<std::int64_t>(element_size)));
}

/// Soft nearest neighbours of unit queries [N, D] among unit supports [M, D] sorted by class. `numerators` [N, M] is
/// scratch; with `totals` [N] it is what the backward pass needs. probabilities: [N, K].
template <class Scalar, class Exec>
void predict(const Exec& exec, const torch::Tensor& queries, const torch::Tensor& supports, const SupportLabels& labels,
             double temperature, const torch::Tensor& numerators, const torch::Tensor& totals,
             const torch::Tensor& probabilities)
{
    device::hand_over(exec);
    device::multiply(queries, supports.t(), numerators);
    kernels::soft_nearest_neighbours(exec, device::view_of<Scalar, 2>(exec, numerators), segments_of(exec, labels),
                                     temperature, device::view_of<Scalar, 1>(exec, totals),
                                     device::view_of<Scalar, 2>(exec, probabilities));
    device::hand_over(exec);
}

/// The probabilities alone, block after block of queries in at most `bytes` of similarities.
template <class Scalar, class Exec>
torch::Tensor predict_in_blocks(const Exec& exec, const torch::Tensor& queries, const torch::Tensor& supports,
                                const SupportLabels& labels, double temperature, std::int64_t bytes)
{
    const auto rows = queries.size(0);
    const auto block = std::min(rows, queries_of_block(supports.size(0), sizeof(Scalar), bytes));
    const auto probabilities = torch::empty({rows, labels.classes()}, queries.options());
    const auto numerators = torch::empty({block, supports.size(0)}, queries.options());
    const auto totals = torch::empty({block}, queries.options());
    for (std::int64_t begin = 0; begin < rows; begin += block)
    {
        const auto count = std::min(block, rows - begin);
        predict<Scalar>(exec, queries.narrow(0, begin, count), supports, labels, temperature,
                        numerators.narrow(0, 0, count), totals.narrow(0, 0, count),
                        probabilities.narrow(0, begin, count));
    }
    return probabilities;
}
}  // namespace paws::loss
