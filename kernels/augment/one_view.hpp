#pragma once

#include "kernels/augment/normalise.hpp"
#include "kernels/augment/params.hpp"
#include "kernels/augment/pictures.hpp"
#include "kernels/augment/workspace.hpp"

// What a team does for one view, whether Kokkos started it or a thread of our own.
namespace paws::kernels::augment
{
/// The colour jitter in the order that was drawn; parts of no strength are left out, as torchvision does.
template <class Team>
KOKKOS_INLINE_FUNCTION void apply_jitter(const Team& team, const AugmentSpec& spec, const ViewParams& params,
                                         const Planes& picture)
{
    for (const Jitter part : params.order)
    {
        if (part == Jitter::brightness && spec.brightness > 0)
        {
            adjust_brightness(team, picture, params.brightness);
        }
        else if (part == Jitter::contrast && spec.contrast > 0)
        {
            adjust_contrast(team, picture, params.contrast);
        }
        else if (part == Jitter::saturation && spec.saturation > 0)
        {
            adjust_saturation(team, picture, params.saturation);
        }
        else if (part == Jitter::hue && spec.hue > 0)
        {
            adjust_hue(team, picture, params.hue_shift);
        }
    }
}

/// A training view of a picture, all random choices made. out: [size, size, 3], row-major.
template <class Team, class Value>
KOKKOS_INLINE_FUNCTION void make_view(const Team& team, const AugmentSpec& spec, const ViewParams& params,
                                      const Normalisation& normalisation, const Source& source,
                                      const Workspace::Slice& scratch, Value* out)
{
    const CropBox& crop = params.crop;
    const Planes picture{scratch.picture, spec.size, spec.size};
    const Planes narrowed{scratch.spare, crop.height, spec.size};
    const Taps row_taps =
        fill_taps(team, Axis{crop.width, spec.size, 0, spec.size}, scratch.row_first, scratch.row_weight);
    const Taps column_taps =
        fill_taps(team, Axis{crop.height, spec.size, 0, spec.size}, scratch.column_first, scratch.column_weight);
    // Everything after the flip is symmetric or looks at single pixels, so it costs nothing to flip here.
    const std::uint8_t* corner = source.pixels + crop.top * source.row_bytes + std::ptrdiff_t{channels} * crop.left;
    resize_rows(team, corner, source.row_bytes, row_taps, params.flip, narrowed);
    resize_columns(team, narrowed, 0, column_taps, picture);

    if (params.jitter)
    {
        apply_jitter(team, spec, params, picture);
    }
    if (params.grey)
    {
        make_grey(team, picture);
    }
    if (params.solarise)
    {
        solarise(team, picture, params.threshold);
    }
    if (params.equalise)
    {
        equalise(team, picture, scratch.histogram);
    }
    if (params.blur)
    {
        gaussian_blur(team, params.box, picture, Planes{scratch.spare, spec.size, spec.size});
    }
    write_normalised(team, picture, normalisation, out);
}

/// The view of evaluation: two axes of a resize, both of `count` wanted pixels. out: [count, count, 3], row-major.
template <class Team, class Value>
KOKKOS_INLINE_FUNCTION void make_center_view(const Team& team, const Axis& vertical, const Axis& horizontal,
                                             const Normalisation& normalisation, const Source& source,
                                             const Workspace::Slice& scratch, Value* out)
{
    const int size = vertical.count;
    const Taps row_taps = fill_taps(team, horizontal, scratch.row_first, scratch.row_weight);
    const Taps column_taps = fill_taps(team, vertical, scratch.column_first, scratch.column_weight);
    const int top = column_taps.first[0];
    const int bottom = column_taps.first[size - 1] + column_taps.taps;
    const Planes narrowed{scratch.spare, bottom - top, size};
    const Planes picture{scratch.picture, size, size};
    resize_rows(team, source.pixels + top * source.row_bytes, source.row_bytes, row_taps, false, narrowed);
    resize_columns(team, narrowed, top, column_taps, picture);
    write_normalised(team, picture, normalisation, out);
}
}  // namespace paws::kernels::augment
