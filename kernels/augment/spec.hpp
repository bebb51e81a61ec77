#pragma once

#include <cmath>
#include <cstdint>
#include <sstream>
#include <stdexcept>

namespace paws::kernels
{
/// What is done to an image to make a training view, in this order: random resized crop, horizontal flip, colour
/// jitter (its four parts in random order), grey, solarise, equalise, Gaussian blur, normalise. What is left at its
/// default here is off. The rules and their random parameters are torchvision's, the arithmetic is Pillow's.
struct AugmentSpec
{
    int size = 0;  ///< Views are size × size pixels.

    /// The crop's share of the image's area, uniform; width / height, log-uniform.
    double scale_min = 1;
    double scale_max = 1;
    double ratio_min = 3 / 4.;
    double ratio_max = 4 / 3.;

    double flip_p = 0;  ///< All `_p` are probabilities.

    /// Factors are uniform in [max(0, 1 − strength), 1 + strength]; hue turns by a uniform part of ± `hue` of the
    /// circle.
    double jitter_p = 0;
    double brightness = 0;
    double contrast = 0;
    double saturation = 0;
    double hue = 0;

    double grey_p = 0;
    double solarise_p = 0;  ///< From a threshold that is uniform in [0, 256).
    double equalise_p = 0;

    /// The standard deviation of the Gaussian in pixels, uniform.
    double blur_p = 0;
    double blur_sigma_min = 0;
    double blur_sigma_max = 0;

    /// Of each channel, for values from 0 to 1: a view holds (value − mean) / std.
    float mean[3] = {0, 0, 0};
    float std[3] = {1, 1, 1};
};

/// The random numbers of a view are a function of this, the image's index in the data set and the view's number.
struct AugmentKey
{
    std::uint64_t seed = 0;
    std::uint32_t epoch = 0;
};

namespace augment
{
/// Sums over a view's pixels fit into 32 bits up to here.
inline constexpr int largest_side = 4096;
/// Fixed-point factors fit into 32 bits up to here.
inline constexpr double largest_strength = 6;

/// Throws std::invalid_argument with the parts put together, which costs nothing where all is well.
template <class... Part>
void require(bool good, const Part&... parts)
{
    if (!good)
    {
        std::ostringstream what;
        what << "augmentation: ";
        (what << ... << parts);
        throw std::invalid_argument(what.str());
    }
}

inline void validate_std(const float (&std)[3])
{
    for (const float value : std)
    {
        require(value > 0 && std::isfinite(value), "std of each channel must be above 0");
    }
}

/// Throws std::invalid_argument that names the first field with an impossible value.
inline void validate(const AugmentSpec& spec)
{
    require(spec.size >= 1 && spec.size <= largest_side, "size must be from 1 to ", largest_side);
    require(spec.scale_min > 0 && spec.scale_min <= spec.scale_max && spec.scale_max <= 1,
            "scale_min and scale_max must be in (0, 1] and in order");
    require(spec.ratio_min > 0 && spec.ratio_min <= spec.ratio_max && std::isfinite(spec.ratio_max),
            "ratio_min and ratio_max must be above 0 and in order");
    const struct
    {
        const char* name;
        double value;
        double largest;
    } bounded[] = {{"flip_p", spec.flip_p, 1},
                   {"jitter_p", spec.jitter_p, 1},
                   {"grey_p", spec.grey_p, 1},
                   {"solarise_p", spec.solarise_p, 1},
                   {"equalise_p", spec.equalise_p, 1},
                   {"blur_p", spec.blur_p, 1},
                   {"brightness", spec.brightness, largest_strength},
                   {"contrast", spec.contrast, largest_strength},
                   {"saturation", spec.saturation, largest_strength},
                   {"hue", spec.hue, 0.5}};
    for (const auto& field : bounded)
    {
        require(field.value >= 0 && field.value <= field.largest, field.name, " must be from 0 to ", field.largest);
    }
    require(
        spec.blur_sigma_min >= 0 && spec.blur_sigma_min <= spec.blur_sigma_max && spec.blur_sigma_max <= largest_side,
        "blur_sigma_min and blur_sigma_max must be from 0 to ", largest_side, " and in order");
    validate_std(spec.std);
}
}  // namespace augment
}  // namespace paws::kernels
