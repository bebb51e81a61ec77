#include "src/data/augmentation.hpp"

#include <Kokkos_Core.hpp>
#include <algorithm>

#include "kernels/augment/center.hpp"
#include "kernels/augment/chain.hpp"
#include "src/data/pinned_memory.hpp"
#include "src/device/execution.hpp"
#include "src/device/tensor_view.hpp"

namespace paws::data
{
namespace
{
/// Colour jitter of strength s, as published: brightness, contrast and saturation 0.8 s, hue 0.2 s.
kernels::AugmentSpec common_spec(const config::Data& data)
{
    kernels::AugmentSpec spec;
    spec.flip_p = data.flip_probability;
    spec.jitter_p = data.jitter_probability;
    spec.brightness = spec.contrast = spec.saturation = 0.8 * data.color_jitter_strength;
    spec.hue = 0.2 * data.color_jitter_strength;
    spec.grey_p = data.grey_probability;
    spec.solarise_p = data.solarise_probability;
    spec.equalise_p = data.equalise_probability;
    spec.blur_p = data.blur_probability;
    spec.blur_sigma_min = 0.1;
    spec.blur_sigma_max = 2.0;
    for (std::size_t c = 0; c < 3; ++c)
    {
        spec.mean[c] = data.normalize ? static_cast<float>(data.mean[c]) : 0.0F;
        spec.std[c] = data.normalize ? static_cast<float>(data.std[c]) : 1.0F;
    }
    return spec;
}

template <class Exec>
void launch(const Exec& exec, const RandomView& kind, const torch::Tensor& pixels, const torch::Tensor& orders,
            const torch::Tensor& out)
{
    const auto column = [&](std::int64_t c)
    { return device::view_of<const std::int64_t, 1>(exec, orders.select(0, c)); };
    kernels::augment_views(exec, kind.spec, kind.key, device::view_of<const std::uint8_t, 4>(exec, pixels), column(0),
                           column(1), column(2), device::view_of<float, 4>(exec, out));
}

template <class Exec>
void launch(const Exec& exec, const CenterView& kind, const torch::Tensor& pixels, const torch::Tensor& orders,
            const torch::Tensor& out)
{
    const float mean[] = {kind.mean[0], kind.mean[1], kind.mean[2]};
    const float std[] = {kind.std[0], kind.std[1], kind.std[2]};
    kernels::center_views(exec, kind.resize, kind.crop, mean, std, device::view_of<const std::uint8_t, 4>(exec, pixels),
                          device::view_of<const std::int64_t, 1>(exec, orders.select(0, 0)),
                          device::view_of<float, 4>(exec, out));
}
}  // namespace

kernels::AugmentSpec large_view_spec(const config::Data& data)
{
    auto spec = common_spec(data);
    spec.size = static_cast<int>(data.crop_size);
    spec.scale_min = data.crop_scale[0];
    spec.scale_max = data.crop_scale[1];
    if (!data.random_crop)
    {
        // The only crop with this area and this ratio; images that are no squares leave none but the one in the
        // middle.
        spec.scale_min = spec.scale_max = 1;
        spec.ratio_min = spec.ratio_max = 1;
    }
    return spec;
}

kernels::AugmentSpec small_view_spec(const config::Data& data)
{
    auto spec = common_spec(data);
    spec.size = static_cast<int>(data.small_crop_size);
    spec.scale_min = data.small_crop_scale[0];
    spec.scale_max = data.small_crop_scale[1];
    return spec;
}

CenterView center_view(const config::Data& data)
{
    CenterView view;
    view.resize = static_cast<int>(data.eval_resize);
    view.crop = static_cast<int>(data.eval_crop_size);
    const auto spec = common_spec(data);
    std::copy_n(spec.mean, 3, view.mean.begin());
    std::copy_n(spec.std, 3, view.std.begin());
    return view;
}

void fill_views(const ViewKind& kind, const torch::Tensor& pixels, const torch::Tensor& orders,
                const torch::Tensor& out)
{
    device::on_device_of(out,
                         [&](const auto& exec)
                         {
                             std::visit([&](const auto& one) { launch(exec, one, pixels, orders, out); }, kind);
                             device::hand_over(exec);
                         });
}

torch::Tensor make_views(const torch::Tensor& pixels, const kernels::AugmentSpec& spec, const kernels::AugmentKey& key,
                         const std::vector<std::int64_t>& rows, const std::vector<std::uint32_t>& view_numbers)
{
    auto orders = rows;
    orders.insert(orders.end(), rows.begin(), rows.end());
    orders.insert(orders.end(), view_numbers.begin(), view_numbers.end());
    const auto count = static_cast<std::int64_t>(rows.size());
    const auto views = torch::empty({count, spec.size, spec.size, 3}, pixels.options().dtype(torch::kFloat32));
    if (count > 0)
    {
        fill_views(RandomView{spec, key}, pixels, sent_values(orders, pixels.device()).view({3, count}), views);
    }
    return channels_last(views);
}
}  // namespace paws::data
