#pragma once

#include "kernels/augment/team.hpp"

// Pillow's ImageEnhance, ImageOps.solarize and convert("L"), and torchvision's adjust_hue on Pillow's HSV, all in
// place. Where Pillow multiplies by a float factor, a 20-bit fixed-point one is used, which is the same on every
// device; results differ by 1 where a product is within 2⁻¹² of a whole number.
namespace paws::kernels::augment
{
inline constexpr int factor_bits = 20;

KOKKOS_INLINE_FUNCTION int fixed_factor(double factor)
{
    return static_cast<int>(factor * (1 << factor_bits) + 0.5);
}

KOKKOS_FORCEINLINE_FUNCTION std::uint8_t clip_to_byte(int value)
{
    return static_cast<std::uint8_t>(value < 0 ? 0 : value > 255 ? 255 : value);
}

/// from + factor · (value − from), cut to a whole number and clipped.
KOKKOS_FORCEINLINE_FUNCTION std::uint8_t blend(int from, int value, int factor)
{
    // A float factor such as 0.7 gives whole products exactly; the 20 bits of it may fall short by up to 2⁻¹³.
    constexpr int guard = 1 << (factor_bits - 12);
    return clip_to_byte((from * (1 << factor_bits) + factor * (value - from) + guard) >> factor_bits);
}

/// Luma as Pillow's convert("L"): ITU-R 601-2, in 16-bit fixed point.
KOKKOS_FORCEINLINE_FUNCTION int luma(int red, int green, int blue)
{
    return (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
}

template <class Team>
PAWS_STEP_FUNCTION void adjust_brightness(const Team& team, const Planes& image, int factor)
{
    for_spans(team, 1, channels * image.pixels(),
              [&](int, int begin, int end)
              {
                  std::uint8_t* value = image.data;
                  for (int i = begin; i < end; ++i)
                  {
                      value[i] = blend(0, value[i], factor);
                  }
              });
}

/// Away from (factor < 1: towards) the image's mean luma, which is rounded to a whole number.
template <class Team>
PAWS_STEP_FUNCTION void adjust_contrast(const Team& team, const Planes& image, int factor)
{
    const int pixels = image.pixels();
    const std::uint8_t* red = image.plane(0);
    const std::uint8_t* green = image.plane(1);
    const std::uint8_t* blue = image.plane(2);
    const std::uint32_t total = sum_spans(team, pixels,
                                          [&](int begin, int end)
                                          {
                                              std::uint32_t sum = 0;
                                              for (int i = begin; i < end; ++i)
                                              {
                                                  sum += static_cast<std::uint32_t>(luma(red[i], green[i], blue[i]));
                                              }
                                              return sum;
                                          });
    const auto count = static_cast<std::uint64_t>(pixels);
    const auto mean = static_cast<int>((2 * std::uint64_t{total} + count) / (2 * count));
    for_spans(team, 1, channels * pixels,
              [&](int, int begin, int end)
              {
                  std::uint8_t* value = image.data;
                  for (int i = begin; i < end; ++i)
                  {
                      value[i] = blend(mean, value[i], factor);
                  }
              });
}

/// Calls change(red, green, blue), each by reference to a byte, for every pixel.
template <class Team, class Change>
KOKKOS_INLINE_FUNCTION void change_pixels(const Team& team, const Planes& image, const Change& change)
{
    for_spans(team, 1, image.pixels(),
              [&](int, int begin, int end)
              {
                  std::uint8_t* KOKKOS_RESTRICT red = image.plane(0);
                  std::uint8_t* KOKKOS_RESTRICT green = image.plane(1);
                  std::uint8_t* KOKKOS_RESTRICT blue = image.plane(2);
                  const Change local = change;
                  for (int i = begin; i < end; ++i)
                  {
                      local(red[i], green[i], blue[i]);
                  }
              });
}

template <class Team>
PAWS_STEP_FUNCTION void adjust_saturation(const Team& team, const Planes& image, int factor)
{
    change_pixels(team, image,
                  [=](std::uint8_t& red, std::uint8_t& green, std::uint8_t& blue)
                  {
                      const int grey = luma(red, green, blue);
                      red = blend(grey, red, factor);
                      green = blend(grey, green, factor);
                      blue = blend(grey, blue, factor);
                  });
}

template <class Team>
PAWS_STEP_FUNCTION void make_grey(const Team& team, const Planes& image)
{
    change_pixels(team, image,
                  [=](std::uint8_t& red, std::uint8_t& green, std::uint8_t& blue)
                  { red = green = blue = static_cast<std::uint8_t>(luma(red, green, blue)); });
}

/// Inverts the values that are not below the threshold, a whole number from 0 to 256.
template <class Team>
PAWS_STEP_FUNCTION void solarise(const Team& team, const Planes& image, int threshold)
{
    for_spans(team, 1, channels * image.pixels(),
              [&](int, int begin, int end)
              {
                  std::uint8_t* value = image.data;
                  const int lowest = threshold;
                  for (int i = begin; i < end; ++i)
                  {
                      value[i] = static_cast<std::uint8_t>(value[i] < lowest ? value[i] : 255 - value[i]);
                  }
              });
}

/// Hue of a colour as Pillow's convert("HSV") gives it, in 255ths of the circle; anything for greys. A hue that is a
/// whole number of 255ths comes out one lower for some of them, by the roundings of float that Pillow's steps make: a
/// step of hue changes colours by up to 6, so it is rounded as often here. One of Pillow's two quotients, that of the
/// smallest channel, is 1: what it adds and subtracts in double, without rounding, is a whole number and the other one.
KOKKOS_FORCEINLINE_FUNCTION int hue_of(int red, int green, int blue, int largest, int range)
{
    const int is_red = red == largest ? 1 : 0;
    const int is_green = green == largest ? 1 - is_red : 0;
    const int is_blue = 1 - is_red - is_green;
    const int ahead = largest - (is_red * blue + is_green * red + is_blue * green);
    const int behind = largest - (is_red * green + is_green * blue + is_blue * red);
    const auto width = static_cast<float>(range > 0 ? range : 1);
    const int subtracts = ahead == range ? 1 : 0;
    const auto quotient = static_cast<float>(ahead - subtracts * (ahead + behind)) / width;
    const float sixths = static_cast<float>(2 * is_green + 4 * is_blue - 1 + 2 * subtracts) + quotient;
    const float turn = sixths / 6.0F;
    return static_cast<int>((turn + (turn < 0 ? 1.0F : 0.0F)) * 255.0F);
}

/// One channel of a colour of this value and saturation. `place` on the circle, in 255ths of a sixth from 0 to 12 ·
/// 255, says how much of the saturation the channel misses: from 0 all more of it, for two sixths all, then less, then
/// none. Exact in integers: the denominator is odd, so that nothing lies half way.
KOKKOS_FORCEINLINE_FUNCTION std::uint8_t faded(int value, int saturation, int place)
{
    constexpr int unit = 255 * 255;
    const int turned = place - (place >= 6 * 255 ? 6 * 255 : 0);
    const int wrapped = turned - (turned >= 6 * 255 ? 6 * 255 : 0);
    const int nearer = wrapped < 4 * 255 - wrapped ? wrapped : 4 * 255 - wrapped;
    const int part = nearer < 0 ? 0 : nearer > 255 ? 255 : nearer;
    return static_cast<std::uint8_t>(static_cast<unsigned>(value * (unit - saturation * part) + unit / 2) / unit);
}

/// Turns the hue by `shift` 255ths of the circle, modulo 256 as torchvision's adjust_hue. Colours are rounded to
/// Pillow's 8-bit HSV on the way, whatever the shift.
template <class Team>
PAWS_STEP_FUNCTION void adjust_hue(const Team& team, const Planes& image, int shift)
{
    change_pixels(team, image,
                  [=](std::uint8_t& red, std::uint8_t& green, std::uint8_t& blue)
                  {
                      const int r = red;
                      const int g = green;
                      const int b = blue;
                      const int larger = r > g ? r : g;
                      const int smaller = r < g ? r : g;
                      const int value = larger > b ? larger : b;
                      const int range = value - (smaller < b ? smaller : b);
                      const float chroma = static_cast<float>(range) / static_cast<float>(value > 0 ? value : 1);
                      const auto saturation = static_cast<int>(chroma * 255.0F);
                      const int hue = (hue_of(r, g, b, value, range) + shift) & 255;

                      red = faded(value, saturation, 6 * hue + 5 * 255);
                      green = faded(value, saturation, 6 * hue + 3 * 255);
                      blue = faded(value, saturation, 6 * hue + 255);
                  });
}
}  // namespace paws::kernels::augment
