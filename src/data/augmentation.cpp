#include "src/data/augmentation.hpp"

#include <Kokkos_Core.hpp>
#include <algorithm>

#include "kernels/augment/chain.hpp"
#include "src/nn/tensor_view.hpp"

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

template <class T>
Kokkos::View<const T*, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>> view_of_vector(
    const std::vector<T>& values)
{
    return Kokkos::View<const T*, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>>(values.data(),
                                                                                              values.size());
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
        // The only crop with this area and this ratio; pictures that are no squares leave none but the one in the
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

torch::Tensor make_views(const torch::Tensor& pixels, const kernels::AugmentSpec& spec, const kernels::AugmentKey& key,
                         const std::vector<std::int64_t>& rows, const std::vector<std::uint32_t>& view_numbers)
{
    auto views = empty_views(static_cast<std::int64_t>(rows.size()), spec.size);
    const Kokkos::Serial exec;
    kernels::augment_views(exec, spec, key, nn::view_of<const std::uint8_t, 4>(pixels), view_of_vector(rows),
                           view_of_vector(view_numbers), nn::view_of<float, 4>(views));
    exec.fence();
    return channels_last(views);
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

torch::Tensor empty_views(std::int64_t count, std::int64_t size)
{
    return torch::empty({count, size, size, 3}, torch::kFloat32);
}

float* view_data(const torch::Tensor& views, std::int64_t n)
{
    return views.data_ptr<float>() + n * views.stride(0);
}

torch::Tensor channels_last(const torch::Tensor& views)
{
    return views.permute({0, 3, 1, 2});
}
}  // namespace paws::data
