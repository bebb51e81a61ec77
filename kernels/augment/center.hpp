#pragma once

#include "kernels/augment/normalise.hpp"
#include "kernels/augment/params.hpp"
#include "kernels/augment/pictures.hpp"
#include "kernels/augment/workspace.hpp"

namespace paws::kernels
{
namespace augment
{
/// One axis of torchvision's Resize followed by CenterCrop. resize 0: none.
inline Axis center_axis(int length, int shorter, int resize, int crop)
{
    // The longer side is cut to a whole number as Python's int(resize * long / short).
    const int resized = resize == 0 ? length : static_cast<int>(std::int64_t{resize} * length / std::int64_t{shorter});
    require(crop <= resized, "a crop of " + std::to_string(crop) + " pixels does not fit into " +
                                 std::to_string(resized) + ": choose a smaller crop or a larger resize");
    return {length, resized, round_half_even((resized - crop) / 2.0), crop};
}

template <class Pictures, class Rows, class Out>
struct CenterViews
{
    Axis vertical;
    Axis horizontal;
    Normalisation normalisation;
    Workspace workspace;
    Pictures pictures;
    Rows row;
    Out out;

    template <class Team>
    KOKKOS_INLINE_FUNCTION void operator()(const Team& team) const
    {
        const int n = team.league_rank();
        const int size = vertical.count;
        const Workspace::Slice scratch = workspace.slice(team);
        const Taps row_taps = fill_taps(team, horizontal, scratch.row_first, scratch.row_weight);
        const Taps column_taps = fill_taps(team, vertical, scratch.column_first, scratch.column_weight);
        const int top = column_taps.first[0];
        const int bottom = column_taps.first[size - 1] + column_taps.taps;
        const Planes narrowed{scratch.spare, bottom - top, size};
        const Planes picture{scratch.picture, size, size};
        resize_rows(team, &pictures(row(n), top, 0, 0), std::ptrdiff_t{channels} * horizontal.in, row_taps, false,
                    narrowed);
        resize_columns(team, narrowed, top, column_taps, picture);
        write_normalised(team, picture, normalisation, &out(n, 0, 0, 0));
    }
};
}  // namespace augment

/// The views for evaluation: torchvision's Resize of the shorter side to `resize` pixels (0: no resizing), CenterCrop
/// of crop × crop pixels, values (v / 255 − mean) / std. pictures: uint8 [P, H, W, 3], row-major; row: int64 [n], below
/// P: which of `pictures` to take; out: [n, crop, crop, 3], row-major, of any type that a float can be cast to. Throws
/// std::invalid_argument if a size or a shape is impossible. Uses `exec` alone and does not wait for it.
template <class Exec, class Pictures, class Rows, class Out>
void center_views(const Exec& exec, int resize, int crop, const float (&mean)[3], const float (&std)[3],
                  const Pictures& pictures, const Rows& row, const Out& out)
{
    augment::check_pictures<Exec, Pictures, Rows, Out>();
    augment::require(crop >= 1 && crop <= augment::largest_side,
                     "crop must be from 1 to " + std::to_string(augment::largest_side));
    augment::require(resize >= 0, "resize must not be negative (0: no resizing)");
    augment::validate_std(std);
    augment::require(row.extent(0) == out.extent(0), "row and out must be of the same length");
    augment::validate_shapes(pictures, out, crop);
    if (out.extent(0) == 0)
    {
        return;
    }
    const auto height = static_cast<int>(pictures.extent(1));
    const auto width = static_cast<int>(pictures.extent(2));
    const int shorter = height < width ? height : width;
    const augment::Axis vertical = augment::center_axis(height, shorter, resize, crop);
    const augment::Axis horizontal = augment::center_axis(width, shorter, resize, crop);
    augment::Workspace workspace(vertical, horizontal, false);
    const auto policy = augment::view_policy(exec, out.extent(0), workspace);
    Kokkos::parallel_for("paws::augment::center", policy,
                         augment::CenterViews<Pictures, Rows, Out>{
                             vertical, horizontal, augment::Normalisation(mean, std), workspace, pictures, row, out});
}
}  // namespace paws::kernels
