#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

#include "kernels/augment/spec.hpp"
#include "src/config/config.hpp"
#include "src/data/view_pipeline.hpp"

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

/// The view of evaluation: resize (where data.eval_resize asks for it) and centre crop.
CenterView center_view(const config::Data& data);

/// Views in the making: float32 [count, size, size, 3], uninitialised, where view n begins in it, and the same values
/// as a network takes them, [count, 3, size, size], channels-last.
torch::Tensor empty_views(std::int64_t count, std::int64_t size);
float* view_data(const torch::Tensor& views, std::int64_t n);
torch::Tensor channels_last(const torch::Tensor& views);
}  // namespace paws::data
