#pragma once

#include "kernels/augment/images.hpp"
#include "kernels/augment/normalise.hpp"
#include "kernels/augment/params.hpp"
#include "kernels/augment/workspace.hpp"

// What a team does for one view, whether Kokkos started it or a thread of our own.
namespace paws::kernels::augment
{
/// The colour jitter in the order that was drawn; parts of no strength are left out, as torchvision does.
template <class Team>
KOKKOS_INLINE_FUNCTION void apply_jitter(const Team& team, const AugmentSpec& spec, const ViewParams& params,
                                         const Planes& image)
{
    for (const Jitter part : params.order)
    {
        if (part == Jitter::brightness && spec.brightness > 0)
        {
            adjust_brightness(team, image, params.brightness);
        }
        else if (part == Jitter::contrast && spec.contrast > 0)
        {
            adjust_contrast(team, image, params.contrast);
        }
        else if (part == Jitter::saturation && spec.saturation > 0)
        {
            adjust_saturation(team, image, params.saturation);
        }
        else if (part == Jitter::hue && spec.hue > 0)
        {
            adjust_hue(team, image, params.hue_shift);
        }
    }
}

/// Part of one side of an image: [begin, begin + length) of its pixels become `size`.
struct Part
{
    int first;  ///< The pixel in memory that `begin` lies in.
    Axis axis;

    KOKKOS_INLINE_FUNCTION Part(int begin, int length, int reduction, int size)
        : first(begin / reduction), axis{reduced_length(begin + length, reduction) - first,
                                         size,
                                         0,
                                         size,
                                         reduction,
                                         length,
                                         begin - first * reduction}
    {
    }
};

/// Whether a row of `columns` pixels from (row, column) on is the end of the image's memory.
KOKKOS_INLINE_FUNCTION bool is_at_end(const Source& source, int row, int column, int columns)
{
    return row + 1 == reduced_length(source.height, source.reduction) &&
           channels * std::ptrdiff_t{column + columns} == source.row_bytes;
}

/// Pixels from (row, column) on: first along the rows into `narrowed`, then along the columns into `image`.
template <class Team>
KOKKOS_INLINE_FUNCTION void resize(const Team& team, const Source& source, int row, int column, int columns,
                                   const Taps& row_taps, const Taps& column_taps, const Planes& narrowed,
                                   const Planes& image, int first_row)
{
    const std::uint8_t* corner = source.pixels + row * source.row_bytes + std::ptrdiff_t{channels} * column;
    const int last_row = row + narrowed.height - 1;
    const int followed = narrowed.height - (is_at_end(source, last_row, column, columns) ? 1 : 0);
    resize_rows(team, corner, source.row_bytes, followed, row_taps, narrowed);
    resize_columns(team, narrowed, first_row, column_taps, image);
}

/// A training view of an image, all random choices made. out: [size, size, 3], row-major.
template <class Team, class Value>
KOKKOS_INLINE_FUNCTION void make_view(const Team& team, const AugmentSpec& spec, const ViewParams& params,
                                      const Normalisation& normalisation, const Source& source,
                                      const Workspace::Slice& scratch, Value* out)
{
    const CropBox& crop = params.crop;
    const Part across(crop.left, crop.width, source.reduction, spec.size);
    const Part down(crop.top, crop.height, source.reduction, spec.size);
    const Planes image{scratch.image, spec.size, spec.size};
    const Planes narrowed{scratch.spare, down.axis.in, spec.size};
    // Everything after the flip is symmetric or looks at single pixels, so it costs nothing to flip here.
    const Taps row_taps = fill_taps(team, across.axis, params.flip, scratch.row_first, scratch.row_weight);
    const Taps column_taps = fill_taps(team, down.axis, false, scratch.column_first, scratch.column_weight);
    resize(team, source, down.first, across.first, across.axis.in, row_taps, column_taps, narrowed, image, 0);

    if (params.jitter)
    {
        apply_jitter(team, spec, params, image);
    }
    if (params.grey)
    {
        make_grey(team, image);
    }
    if (params.solarise)
    {
        solarise(team, image, params.threshold);
    }
    if (params.equalise)
    {
        equalise(team, image, scratch.histogram);
    }
    if (params.blur)
    {
        gaussian_blur(team, params.box, image, Planes{scratch.spare, spec.size, spec.size});
    }
    write_normalised(team, image, normalisation, out);
}

/// The view of evaluation: two axes of a resize, both of `count` wanted pixels. out: [count, count, 3], row-major.
template <class Team, class Value>
KOKKOS_INLINE_FUNCTION void make_center_view(const Team& team, const Axis& vertical, const Axis& horizontal,
                                             const Normalisation& normalisation, const Source& source,
                                             const Workspace::Slice& scratch, Value* out)
{
    const int size = vertical.count;
    const Taps row_taps = fill_taps(team, horizontal, false, scratch.row_first, scratch.row_weight);
    const Taps column_taps = fill_taps(team, vertical, false, scratch.column_first, scratch.column_weight);
    const int top = column_taps.first[0];
    const int bottom = column_taps.first[size - 1] + column_taps.taps;
    const Planes narrowed{scratch.spare, bottom - top, size};
    const Planes image{scratch.image, size, size};
    resize(team, source, top, 0, horizontal.in, row_taps, column_taps, narrowed, image, top);
    write_normalised(team, image, normalisation, out);
}
}  // namespace paws::kernels::augment
