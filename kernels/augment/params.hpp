#pragma once

#include "kernels/augment/blur.hpp"
#include "kernels/augment/colour.hpp"
#include "kernels/augment/spec.hpp"
#include "kernels/math.hpp"
#include "kernels/random.hpp"

namespace paws::kernels::augment
{
/// A rectangle of an image, in pixels.
struct CropBox
{
    int top;
    int left;
    int height;
    int width;
};

/// The parts of the colour jitter, in the order of torchvision.
enum class Jitter : std::uint8_t
{
    brightness,
    contrast,
    saturation,
    hue
};
inline constexpr int jitter_parts = 4;

/// What is done to one view: the outcome of all its random choices, in the units that the operations take.
struct ViewParams
{
    CropBox crop;
    bool flip;
    bool jitter;
    bool grey;
    bool solarise;
    bool equalise;
    bool blur;
    Jitter order[jitter_parts];
    int brightness;  ///< Factors in fixed point (fixed_factor).
    int contrast;
    int saturation;
    int hue_shift;  ///< In 255ths of the circle.
    int threshold;
    Box box;
};

/// Nearest whole number, halves to even, as Python's round.
KOKKOS_INLINE_FUNCTION int round_half_even(double value)
{
    const double below = math::floor(value);
    const double rest = value - below;
    const auto whole = static_cast<int>(below);
    return rest > 0.5 || (rest == 0.5 && whole % 2 != 0) ? whole + 1 : whole;
}

/// Which random words decide what: each decision has words of its own, so that it does not depend on any other.
enum Block : std::uint32_t
{
    geometry_block,
    colour_block,
    order_block,
    effect_block,
    blur_block,
    crop_block  ///< This and the following ones, one for each try.
};

/// torchvision's RandomResizedCrop.get_params: up to ten tries of a random area and aspect ratio, then the largest
/// crop at the centre whose ratio is allowed.
KOKKOS_INLINE_FUNCTION CropBox draw_crop(const AugmentSpec& spec, int height, int width, const ViewRandom& random)
{
    constexpr std::uint32_t tries = 10;
    const double area = static_cast<double>(height) * width;
    const double log_ratio_min = math::log(spec.ratio_min);
    const double log_ratio_max = math::log(spec.ratio_max);
    for (std::uint32_t attempt = 0; attempt < tries; ++attempt)
    {
        const Words words = random(crop_block + attempt);
        const double wanted = area * uniform(words.word[0], spec.scale_min, spec.scale_max);
        const double ratio = math::exp(uniform(words.word[1], log_ratio_min, log_ratio_max));
        const int w = round_half_even(math::sqrt(wanted * ratio));
        const int h = round_half_even(math::sqrt(wanted / ratio));
        if (w > 0 && w <= width && h > 0 && h <= height)
        {
            return {pick(words.word[2], height - h + 1), pick(words.word[3], width - w + 1), h, w};
        }
    }
    const double ratio = static_cast<double>(width) / height;
    int h = height;
    int w = width;
    if (ratio < spec.ratio_min)
    {
        h = round_half_even(width / spec.ratio_min);
    }
    else if (ratio > spec.ratio_max)
    {
        w = round_half_even(height * spec.ratio_max);
    }
    return {(height - h) / 2, (width - w) / 2, h, w};
}

/// A factor for a jitter of this strength, as torchvision's ColorJitter draws it.
KOKKOS_INLINE_FUNCTION int draw_factor(std::uint32_t word, double strength)
{
    return fixed_factor(uniform(word, strength < 1 ? 1 - strength : 0, 1 + strength));
}

/// Each of the 24 orders with the same probability.
KOKKOS_INLINE_FUNCTION void draw_order(std::uint32_t word, Jitter (&order)[jitter_parts])
{
    int rest = pick(word, 24);
    for (int i = 0; i < jitter_parts; ++i)
    {
        order[i] = static_cast<Jitter>(i);
    }
    for (int i = jitter_parts - 1; i > 0; --i)
    {
        const int other = rest % (i + 1);
        rest /= i + 1;
        const Jitter moved = order[i];
        order[i] = order[other];
        order[other] = moved;
    }
}

/// All random choices for a view of an image of height × width pixels.
KOKKOS_INLINE_FUNCTION ViewParams draw_params(const AugmentSpec& spec, int height, int width, const ViewRandom& random)
{
    ViewParams params{};
    params.crop = draw_crop(spec, height, width, random);

    const Words geometry = random(geometry_block);
    params.flip = chance(geometry.word[0], spec.flip_p);
    params.jitter = chance(geometry.word[1], spec.jitter_p);
    params.grey = chance(geometry.word[2], spec.grey_p);
    params.solarise = chance(geometry.word[3], spec.solarise_p);

    const Words effect = random(effect_block);
    params.equalise = chance(effect.word[0], spec.equalise_p);
    params.blur = chance(effect.word[1], spec.blur_p);
    // "Below the threshold" is the same for whole numbers if it is rounded up.
    params.threshold = static_cast<int>(math::ceil(uniform(effect.word[2], 0, 256)));

    if (params.jitter)
    {
        const Words colour = random(colour_block);
        params.brightness = draw_factor(colour.word[0], spec.brightness);
        params.contrast = draw_factor(colour.word[1], spec.contrast);
        params.saturation = draw_factor(colour.word[2], spec.saturation);
        params.hue_shift = static_cast<int>(uniform(colour.word[3], -spec.hue, spec.hue) * 255);
        draw_order(random(order_block).word[0], params.order);
    }
    if (params.blur)
    {
        params.box = gaussian_box(uniform(random(blur_block).word[0], spec.blur_sigma_min, spec.blur_sigma_max));
    }
    return params;
}
}  // namespace paws::kernels::augment
