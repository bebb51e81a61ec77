#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

#include "kernels/augment/spec.hpp"
#include "src/config/config.hpp"

namespace paws::data
{
/// What `data` in the configuration asks of the large and of the small views.
kernels::AugmentSpec large_view_spec(const config::Data& data);
kernels::AugmentSpec small_view_spec(const config::Data& data);

/// Random training views. pixels: uint8 [P, H, W, 3]; rows, view_numbers: [n], which picture and which of its views.
/// Gives float32 [n, 3, size, size] in channels-last order. A picture's view is a function of (key, row, view number)
/// alone. Runs on the calling thread (Kokkos' Serial), so that it can be called beside a training step.
torch::Tensor make_views(const torch::Tensor& pixels, const kernels::AugmentSpec& spec, const kernels::AugmentKey& key,
                         const std::vector<std::int64_t>& rows, const std::vector<std::uint32_t>& view_numbers);

/// The views of evaluation: resize (where data.eval_resize asks for it) and centre crop. Gives [n, 3, S, S],
/// channels-last.
torch::Tensor center_views(const torch::Tensor& pixels, const config::Data& data,
                           const std::vector<std::int64_t>& rows);
}  // namespace paws::data
