#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "kernels/augment/spec.hpp"
#include "src/config/config.hpp"
#include "src/data/batch_plan.hpp"

namespace paws::data
{
/// What `data` in the configuration asks of the large and of the small views.
kernels::AugmentSpec large_view_spec(const config::Data& data);
kernels::AugmentSpec small_view_spec(const config::Data& data);

/// The view of evaluation: resize (where data.eval_resize asks for it) and centre crop.
CenterView center_view(const config::Data& data);

/// Makes the views of one kind where the tensors lie, all on one device. pixels: uint8 [Q, H, W, 3]; orders: int64
/// [3, n], of each view the row of `pixels`, below Q, the image's place in its data set, and the view's number;
/// out: float32 [n, size, size, 3]. On the host they are made when this returns, on a GPU nobody waits for them.
void fill_views(const ViewKind& kind, const torch::Tensor& pixels, const torch::Tensor& orders,
                const torch::Tensor& out);

/// Random training views, made where `pixels` lie. pixels: uint8 [P, H, W, 3]; rows, view_numbers: [n], which image
/// and which of its views. Gives float32 [n, 3, size, size] in channels-last order. An image's view is a function of
/// (key, row, view number) alone.
torch::Tensor make_views(const torch::Tensor& pixels, const kernels::AugmentSpec& spec, const kernels::AugmentKey& key,
                         const std::vector<std::int64_t>& rows, const std::vector<std::uint32_t>& view_numbers);
}  // namespace paws::data
