#pragma once

#include <algorithm>
#include <vector>

#include "kernels/augment/center.hpp"
#include "kernels/augment/one_view.hpp"

namespace paws::kernels
{
/// Makes views on the calling thread, one after the other, without Kokkos' dispatch (which several threads may not call
/// at once) and, once it has met the largest picture, without allocating: keep one object for each thread. A view is,
/// bit for bit, what augment_views and center_views make of the same picture with the same key, index and view number.
class HostViews
{
public:
    /// A random training view. pixels: uint8 [height, width, 3], row-major; index: the picture's place in its data set;
    /// view: its number, below 2²⁴; out: [spec.size, spec.size, 3], row-major, of float or a storage type.
    /// Throws std::invalid_argument if the spec or the picture's size is impossible.
    template <class T>
    void make(const AugmentSpec& spec, const AugmentKey& key, const std::uint8_t* pixels, int height, int width,
              std::int64_t index, std::uint32_t view, T* out)
    {
        augment::validate(spec);
        const augment::Source source = source_of(pixels, height, width);
        const ViewRandom random(key.seed, key.epoch, static_cast<std::uint64_t>(index), view);
        const augment::ViewParams params = augment::draw_params(spec, height, width, random);
        const augment::Axis vertical{params.crop.height, spec.size, 0, spec.size};
        const augment::Axis horizontal{params.crop.width, spec.size, 0, spec.size};
        const augment::Workspace workspace(vertical, horizontal, params.blur);
        augment::make_view(augment::HostTeam(), spec, params, augment::Normalisation(spec.mean, spec.std), source,
                           slice(workspace), out);
    }

    /// The view of evaluation: torchvision's Resize of the shorter side to `resize` pixels (0: none), CenterCrop,
    /// values (v / 255 − mean) / std. out: [crop, crop, 3]. Throws as center_views does.
    template <class T>
    void make_center(int resize, int crop, const float (&mean)[3], const float (&std)[3], const std::uint8_t* pixels,
                     int height, int width, T* out)
    {
        augment::validate_std(std);
        const augment::Source source = source_of(pixels, height, width);
        const augment::CenterAxes axes(height, width, resize, crop);
        const augment::Workspace workspace(axes.vertical, axes.horizontal, false);
        augment::make_center_view(augment::HostTeam(), axes.vertical, axes.horizontal,
                                  augment::Normalisation(mean, std), source, slice(workspace), out);
    }

private:
    static augment::Source source_of(const std::uint8_t* pixels, int height, int width)
    {
        augment::validate_size(static_cast<std::size_t>(std::max(height, 0)),
                               static_cast<std::size_t>(std::max(width, 0)));
        return {pixels, std::ptrdiff_t{augment::channels} * width, height, width};
    }

    augment::Workspace::Slice slice(const augment::Workspace& workspace)
    {
        const std::size_t words = workspace.table_bytes() / sizeof(double) + 1;
        if (tables_.size() < words)
        {
            tables_.resize(words);
        }
        if (pictures_.size() < workspace.picture_bytes())
        {
            pictures_.resize(workspace.picture_bytes());
        }
        return workspace.slice(tables_.data(), pictures_.data());
    }

    std::vector<double> tables_;  ///< double for its alignment.
    std::vector<std::uint8_t> pictures_;
};
}  // namespace paws::kernels
