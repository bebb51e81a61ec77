#pragma once

#include <algorithm>
#include <vector>

#include "kernels/augment/center.hpp"
#include "kernels/augment/one_view.hpp"

namespace paws::kernels
{
/// Makes views on the calling thread, one after the other, without Kokkos' dispatch (which several threads may not call
/// at once) and, once it has met the largest image, without allocating: keep one object for each thread. A view is,
/// bit for bit, what augment_views and center_views make of the same image with the same key, index and view number.
/// Images may have been decoded at 1 / reduction of their size; height and width are always those before. The views
/// are then close to those of the whole image where `reduction` is at most what may_reduce and may_reduce_center say.
class HostViews
{
public:
    /// A random training view. pixels: uint8 [height, width, 3], row-major; index: the image's place in its data set;
    /// view: its number, below 2²⁴; out: [spec.size, spec.size, 3], row-major, of float or a storage type.
    /// Throws std::invalid_argument if the spec or the image's size is impossible.
    template <class T>
    void make(const AugmentSpec& spec, const AugmentKey& key, const std::uint8_t* pixels, int height, int width,
              std::int64_t index, std::uint32_t view, T* out, int reduction = 1)
    {
        augment::validate(spec);
        const augment::Source source = source_of(pixels, height, width, reduction);
        const ViewRandom random(key.seed, key.epoch, static_cast<std::uint64_t>(index), view);
        const augment::ViewParams params = augment::draw_params(spec, height, width, random);
        const augment::Part across(params.crop.left, params.crop.width, reduction, spec.size);
        const augment::Part down(params.crop.top, params.crop.height, reduction, spec.size);
        const augment::Workspace workspace(down.axis, across.axis, params.blur);
        augment::make_view(augment::HostTeam(), spec, params, augment::Normalisation(spec.mean, spec.std), source,
                           slice(workspace), out);
    }

    /// The view of evaluation: torchvision's Resize of the shorter side to `resize` pixels (0: none), CenterCrop,
    /// values (v / 255 − mean) / std. out: [crop, crop, 3]. Throws as center_views does.
    template <class T>
    void make_center(int resize, int crop, const float (&mean)[3], const float (&std)[3], const std::uint8_t* pixels,
                     int height, int width, T* out, int reduction = 1)
    {
        augment::validate_std(std);
        const augment::Source source = source_of(pixels, height, width, reduction);
        const augment::CenterAxes axes(height, width, resize, crop, reduction);
        const augment::Workspace workspace(axes.vertical, axes.horizontal, false);
        augment::make_center_view(augment::HostTeam(), axes.vertical, axes.horizontal,
                                  augment::Normalisation(mean, std), source, slice(workspace), out);
    }

    /// How many times smaller each side of an image of this size may be for this view: its crop still has at least as
    /// many pixels as the view, each way. At least 1. Throws as make does.
    static int may_reduce(const AugmentSpec& spec, const AugmentKey& key, int height, int width, std::int64_t index,
                          std::uint32_t view)
    {
        augment::validate(spec);
        validate_size(height, width);
        const ViewRandom random(key.seed, key.epoch, static_cast<std::uint64_t>(index), view);
        const augment::CropBox crop = augment::draw_crop(spec, height, width, random);
        return std::max(1, std::min(crop.height, crop.width) / spec.size);
    }

    /// The same for the view of evaluation: the image still has at least as many pixels as when it is resized.
    static int may_reduce_center(int resize, int crop, int height, int width)
    {
        validate_size(height, width);
        const augment::CenterAxes axes(height, width, resize, crop);
        return std::max(1, std::min(height / axes.vertical.out, width / axes.horizontal.out));
    }

private:
    static void validate_size(int height, int width)
    {
        augment::validate_size(static_cast<std::size_t>(std::max(height, 0)),
                               static_cast<std::size_t>(std::max(width, 0)));
    }

    static augment::Source source_of(const std::uint8_t* pixels, int height, int width, int reduction)
    {
        validate_size(height, width);
        augment::require(reduction >= 1, "reduction must be at least 1");
        return {pixels, std::ptrdiff_t{augment::channels} * augment::reduced_length(width, reduction), height, width,
                reduction};
    }

    augment::Workspace::Slice slice(const augment::Workspace& workspace)
    {
        const std::size_t words = workspace.table_bytes() / sizeof(double) + 1;
        if (tables_.size() < words)
        {
            tables_.resize(words);
        }
        if (images_.size() < workspace.image_bytes())
        {
            images_.resize(workspace.image_bytes());
        }
        return workspace.slice(tables_.data(), images_.data());
    }

    std::vector<double> tables_;  ///< double for its alignment.
    std::vector<std::uint8_t> images_;
};
}  // namespace paws::kernels
