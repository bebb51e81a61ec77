#pragma once

#include "kernels/augment/one_view.hpp"

namespace paws::kernels
{
namespace augment
{
/// One axis of torchvision's Resize followed by CenterCrop, of `length` pixels that were decoded at 1 / reduction.
/// resize 0: none.
inline Axis center_axis(int length, int shorter, int resize, int crop, int reduction)
{
    // The longer side is cut to a whole number as Python's int(resize * long / short).
    const int resized = resize == 0 ? length : static_cast<int>(std::int64_t{resize} * length / std::int64_t{shorter});
    require(crop <= resized, "a crop of ", crop, " pixels does not fit into ", resized,
            ": choose a smaller crop or a larger resize");
    const int begin = round_half_even((resized - crop) / 2.0);
    return {reduced_length(length, reduction), resized, begin, crop, reduction, length, 0};
}

/// Both axes for an image of this size. Throws std::invalid_argument if the sizes are impossible.
struct CenterAxes
{
    Axis vertical;
    Axis horizontal;

    CenterAxes(int height, int width, int resize, int crop, int reduction = 1)
    {
        require(crop >= 1 && crop <= largest_side, "crop must be from 1 to ", largest_side);
        require(resize >= 0, "resize must not be negative (0: no resizing)");
        const int shorter = height < width ? height : width;
        vertical = center_axis(height, shorter, resize, crop, reduction);
        horizontal = center_axis(width, shorter, resize, crop, reduction);
    }
};

template <class Images, class Rows, class Out>
struct CenterViews
{
    Axis vertical;
    Axis horizontal;
    Normalisation normalisation;
    Workspace workspace;
    Images images;
    Rows row;
    Out out;

    template <class Team>
    KOKKOS_INLINE_FUNCTION void operator()(const Team& team) const
    {
        const int n = team.league_rank();
        make_center_view(team, vertical, horizontal, normalisation, source_of(images, row(n)), workspace.slice(team),
                         &out(n, 0, 0, 0));
    }
};
}  // namespace augment

/// The views for evaluation: torchvision's Resize of the shorter side to `resize` pixels (0: no resizing), CenterCrop
/// of crop × crop pixels, values (v / 255 − mean) / std. images: uint8 [P, H, W, 3], row-major; row: int64 [n], below
/// P: which of `images` to take; out: [n, crop, crop, 3], row-major, of any type that a float can be cast to. Throws
/// std::invalid_argument if a size or a shape is impossible. Uses `exec` alone and does not wait for it.
template <class Exec, class Images, class Rows, class Out>
void center_views(const Exec& exec, int resize, int crop, const float (&mean)[3], const float (&std)[3],
                  const Images& images, const Rows& row, const Out& out)
{
    augment::check_images<Exec, Images, Rows, Out>();
    augment::validate_std(std);
    augment::require(row.extent(0) == out.extent(0), "row and out must be of the same length");
    augment::validate_shapes(images, out, crop);
    if (out.extent(0) == 0)
    {
        return;
    }
    const auto height = static_cast<int>(images.extent(1));
    const auto width = static_cast<int>(images.extent(2));
    const augment::CenterAxes axes(height, width, resize, crop);
    augment::Workspace workspace(axes.vertical, axes.horizontal, false);
    const auto policy = augment::view_policy(exec, out.extent(0), workspace);
    Kokkos::parallel_for(
        "paws::augment::center", policy,
        augment::CenterViews<Images, Rows, Out>{axes.vertical, axes.horizontal, augment::Normalisation(mean, std),
                                                workspace, images, row, out});
}
}  // namespace paws::kernels
