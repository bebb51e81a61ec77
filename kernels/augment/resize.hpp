#pragma once

#include <bit>
#include <cstring>

#include "kernels/augment/team.hpp"

// Pillow's bilinear `resize` of 8-bit images: each output pixel is a mean of the input pixels below a triangle that
// is as wide as two output pixels (at least two input pixels), with weights in 22-bit fixed point; first along the
// rows, rounded to 8 bits, then along the columns.
//
// Pillow computes the weights in double. All positions are multiples of 1 / (2 · out) here (of a fraction of that in a
// reduced image), so they are ratios of integers, and one division (which IEEE rounds the same everywhere) gives
// them: the views of an image do not depend on the device or on how a compiler contracts multiplications and
// additions.
namespace paws::kernels::augment
{
inline constexpr int weight_bits = 22;
inline constexpr int half_weight = 1 << (weight_bits - 1);
inline constexpr bool words_are_little_endian = std::endian::native == std::endian::little;

/// One axis of a resize from `in` pixels to `out`, of which [begin, begin + count) are wanted. What is resized is all
/// of the `in` pixels or, in an image that was decoded at 1 / reduction of its size, `length` of the pixels that it
/// had, from `offset` of them after the beginning of the first: so a crop keeps its place to a fraction of a pixel.
struct Axis
{
    int in;
    int out;
    int begin;
    int count;
    int reduction = 1;
    int length = in;
    int offset = 0;

    /// The output pixels' side is length / units pixels.
    KOKKOS_INLINE_FUNCTION std::int64_t units() const { return std::int64_t{out} * reduction; }
    KOKKOS_INLINE_FUNCTION std::int64_t reach() const { return length > units() ? length : units(); }

    /// How many input pixels at most lie strictly below the triangle, for this `length` or any smaller one.
    KOKKOS_INLINE_FUNCTION int most_taps() const { return static_cast<int>((2 * reach() + units() - 1) / units()); }

    /// How many input pixels each output pixel takes; some may weigh nothing.
    KOKKOS_INLINE_FUNCTION int taps() const
    {
        if (length == units() && offset == 0)
        {
            return 1;
        }
        return most_taps() < in ? most_taps() : in;
    }

    /// At least as many input pixels as all wanted output pixels together take.
    KOKKOS_INLINE_FUNCTION int most_input() const
    {
        const auto all = static_cast<int>((std::int64_t{count} * length + units() - 1) / units()) + most_taps();
        return all < in ? all : in;
    }
};

/// What every wanted output pixel i of `count` takes: input pixels first[i] + k with weight[k * count + i].
struct Taps
{
    int* first;
    int* weight;
    int taps;
    int count;
};

/// The weights of one axis, in the opposite order if `mirrored`. first: at least axis.count ints; weight: at least
/// axis.count * axis.taps().
template <class Team>
PAWS_STEP_FUNCTION Taps fill_taps(const Team& team, const Axis& axis, bool mirrored, int* first, int* weight)
{
    const int taps = axis.taps();
    // In units of 1 / (2 · out · reduction) input pixels: the triangle's half width, and below the distance from its
    // centre.
    const std::int64_t units = axis.units();
    const std::int64_t reach = 2 * axis.reach();
    for_spans(team, 1, axis.count,
              [&](int, int begin, int end)
              {
                  for (int i = begin; i < end; ++i)
                  {
                      const int wanted = axis.begin + (mirrored ? axis.count - 1 - i : i);
                      const std::int64_t center =
                          std::int64_t{2} * axis.out * axis.offset + (std::int64_t{2} * wanted + 1) * axis.length;
                      const std::int64_t lowest = center - reach - units;
                      std::int64_t start = lowest < 0 ? 0 : lowest / (2 * units) + 1;
                      start = start < axis.in - taps ? start : axis.in - taps;
                      first[i] = static_cast<int>(start);
                      const auto height_at = [&](int k)
                      {
                          const std::int64_t distance = (2 * (start + k) + 1) * units - center;
                          const std::int64_t height = reach - (distance < 0 ? -distance : distance);
                          return height > 0 ? height : 0;
                      };
                      std::int64_t total = 0;
                      for (int k = 0; k < taps; ++k)
                      {
                          total += height_at(k);
                      }
                      for (int k = 0; k < taps; ++k)
                      {
                          const auto scaled = static_cast<double>(height_at(k) << weight_bits);
                          weight[k * axis.count + i] = static_cast<int>(scaled / static_cast<double>(total) + 0.5);
                      }
                  }
              });
    return {first, weight, taps, axis.count};
}

/// Weighted sums are of values below 256 and weights that are not negative and sum to about 1, so they need no
/// clipping.
KOKKOS_FORCEINLINE_FUNCTION std::uint8_t rounded_sum(int sum)
{
    return static_cast<std::uint8_t>(sum >> weight_bits);
}

/// The sum of `Count` weighted values (0: of `count`), and what rounds it.
template <int Count, class At, class Weight>
KOKKOS_FORCEINLINE_FUNCTION int weighted(int count, const At& at, const Weight& weight)
{
    int sum = half_weight;
    for (int k = 0; k < (Count > 0 ? Count : count); ++k)
    {
        sum += at(k) * weight(k);
    }
    return sum;
}

/// Interleaved pixels become values [begin, end) of three rows.
template <int Count>
KOKKOS_FORCEINLINE_FUNCTION void narrow_row(const std::uint8_t* in, const Taps& taps, int begin, int end,
                                            std::uint8_t* red, std::uint8_t* green, std::uint8_t* blue)
{
    for (int i = begin; i < end; ++i)
    {
        const std::uint8_t* first = in + taps.first[i] * channels;
        const auto weight = [&](int k) { return taps.weight[k * taps.count + i]; };
        red[i] = rounded_sum(weighted<Count>(
            taps.taps, [&](int k) { return first[k * channels]; }, weight));
        green[i] = rounded_sum(weighted<Count>(
            taps.taps, [&](int k) { return first[k * channels + 1]; }, weight));
        blue[i] = rounded_sum(weighted<Count>(
            taps.taps, [&](int k) { return first[k * channels + 2]; }, weight));
    }
}

KOKKOS_FORCEINLINE_FUNCTION std::uint32_t word_at(const std::uint8_t* bytes)
{
    std::uint32_t word = 0;
    std::memcpy(&word, bytes, sizeof(word));
    return word;
}

/// The same by loads of four bytes, the last of which is not used: a host gathers those of several pixels at once. So
/// one byte after the last pixel must be readable.
template <int Count>
KOKKOS_INLINE_FUNCTION void narrow_row_by_words(const std::uint8_t* in, const Taps& taps, int width,
                                                std::uint8_t* KOKKOS_RESTRICT red, std::uint8_t* KOKKOS_RESTRICT green,
                                                std::uint8_t* KOKKOS_RESTRICT blue)
{
    if constexpr (Count > 0)
    {
        const int* KOKKOS_RESTRICT first = taps.first;
        const int* KOKKOS_RESTRICT weights = taps.weight;
        const int stride = taps.count;
        for (int i = 0; i < width; ++i)
        {
            int sums[channels] = {half_weight, half_weight, half_weight};
            for (int k = 0; k < Count; ++k)
            {
                const std::uint32_t word = word_at(in + (first[i] + k) * channels);
                const int weight = weights[k * stride + i];
                sums[0] += static_cast<int>(word & 255) * weight;
                sums[1] += static_cast<int>(word >> 8 & 255) * weight;
                sums[2] += static_cast<int>(word >> 16 & 255) * weight;
            }
            red[i] = rounded_sum(sums[0]);
            green[i] = rounded_sum(sums[1]);
            blue[i] = rounded_sum(sums[2]);
        }
    }
    else
    {
        // Pieces of the row, tap after tap: so the loops over pixels vectorise for any number of taps.
        constexpr int span = 64;
        for (int begin = 0; begin < width; begin += span)
        {
            const int length = width - begin < span ? width - begin : span;
            int sums[channels][span];
            for (int i = 0; i < length; ++i)
            {
                sums[0][i] = sums[1][i] = sums[2][i] = half_weight;
            }
            for (int k = 0; k < taps.taps; ++k)
            {
                const int* KOKKOS_RESTRICT first = taps.first + begin;
                const int* KOKKOS_RESTRICT weight = taps.weight + k * taps.count + begin;
                for (int i = 0; i < length; ++i)
                {
                    const std::uint32_t word = word_at(in + (first[i] + k) * channels);
                    sums[0][i] += static_cast<int>(word & 255) * weight[i];
                    sums[1][i] += static_cast<int>(word >> 8 & 255) * weight[i];
                    sums[2][i] += static_cast<int>(word >> 16 & 255) * weight[i];
                }
            }
            for (int i = 0; i < length; ++i)
            {
                red[begin + i] = rounded_sum(sums[0][i]);
                green[begin + i] = rounded_sum(sums[1][i]);
                blue[begin + i] = rounded_sum(sums[2][i]);
            }
        }
    }
}

/// The first pass: rows of interleaved pixels, `row_stride` bytes apart, become planes of the wanted width.
/// `rows_followed`: how many of the rows have a readable byte after them.
template <class Team>
PAWS_STEP_FUNCTION void resize_rows(const Team& team, const std::uint8_t* pixels, std::ptrdiff_t row_stride,
                                    int rows_followed, const Taps& taps, const Planes& out)
{
    with_small_constant(
        taps.taps,
        [&](auto count)
        {
            for_spans(team, out.height, out.width,
                      [&](int row, int begin, int end)
                      {
                          const std::uint8_t* in = pixels + row * row_stride;
                          std::uint8_t* red = out.plane(0) + row * out.width;
                          std::uint8_t* green = out.plane(1) + row * out.width;
                          std::uint8_t* blue = out.plane(2) + row * out.width;
                          if constexpr (runs_on_host<typename Team::execution_space> && words_are_little_endian)
                          {
                              if (row < rows_followed)
                              {
                                  narrow_row_by_words<decltype(count)::value>(in, taps, out.width, red, green, blue);
                                  return;
                              }
                          }
                          narrow_row<decltype(count)::value>(in, taps, begin, end, red, green, blue);
                      });
        });
}

/// Values [begin, end) of a row of the second pass: a weighted sum of rows `width` values apart. weight: those of the
/// row, `weight_stride` apart.
template <int Count>
KOKKOS_FORCEINLINE_FUNCTION void sum_rows(const std::uint8_t* KOKKOS_RESTRICT first, int width, const int* weight,
                                          int weight_stride, int count, int begin, int end,
                                          std::uint8_t* KOKKOS_RESTRICT to)
{
    if constexpr (Count > 0)
    {
        int local[Count];
        for (int k = 0; k < Count; ++k)
        {
            local[k] = weight[k * weight_stride];
        }
        for (int x = begin; x < end; ++x)
        {
            to[x] = rounded_sum(weighted<Count>(
                Count, [&](int k) { return first[k * width + x]; }, [&](int k) { return local[k]; }));
        }
    }
    else
    {
        // Pieces of the row, tap after tap: so the loops over pixels vectorise for any number of taps.
        constexpr int span = 64;
        for (int piece = begin; piece < end; piece += span)
        {
            const int length = end - piece < span ? end - piece : span;
            int sums[span];
            for (int x = 0; x < length; ++x)
            {
                sums[x] = half_weight;
            }
            for (int k = 0; k < count; ++k)
            {
                const std::uint8_t* KOKKOS_RESTRICT from = first + k * width + piece;
                const int factor = weight[k * weight_stride];
                for (int x = 0; x < length; ++x)
                {
                    sums[x] += from[x] * factor;
                }
            }
            for (int x = 0; x < length; ++x)
            {
                to[piece + x] = rounded_sum(sums[x]);
            }
        }
    }
}

/// The second pass: along the columns. `first_row` is the row of the image that in's row 0 holds.
template <class Team>
PAWS_STEP_FUNCTION void resize_columns(const Team& team, const Planes& in, int first_row, const Taps& taps,
                                       const Planes& out)
{
    with_small_constant(taps.taps,
                        [&](auto count)
                        {
                            for_spans(team, channels * out.height, out.width,
                                      [&](int row, int begin, int end)
                                      {
                                          const int channel = row / out.height;
                                          const int i = row - channel * out.height;
                                          sum_rows<decltype(count)::value>(
                                              in.plane(channel) + (taps.first[i] - first_row) * in.width, in.width,
                                              taps.weight + i, taps.count, taps.taps, begin, end,
                                              out.data + row * out.width);
                                      });
                        });
}
}  // namespace paws::kernels::augment
