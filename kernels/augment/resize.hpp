#pragma once

#include "kernels/augment/team.hpp"

// Pillow's bilinear `resize` of 8-bit pictures: each output pixel is a mean of the input pixels below a triangle that
// is as wide as two output pixels (at least two input pixels), with weights in 22-bit fixed point; first along the
// rows, rounded to 8 bits, then along the columns.
//
// Pillow computes the weights in double. All positions are multiples of 1 / (2 · out) here, so they are ratios of
// integers, and one division (which IEEE rounds the same everywhere) gives them: the views of a picture do not depend
// on the device or on how a compiler contracts multiplications and additions.
namespace paws::kernels::augment
{
inline constexpr int weight_bits = 22;
inline constexpr int half_weight = 1 << (weight_bits - 1);

/// One axis of a resize from `in` pixels to `out`, of which [begin, begin + count) are wanted.
struct Axis
{
    int in;
    int out;
    int begin;
    int count;

    /// How many input pixels at most lie strictly below the triangle, for this `in` or any smaller one.
    KOKKOS_INLINE_FUNCTION int most_taps() const { return (2 * (in > out ? in : out) + out - 1) / out; }

    /// How many input pixels each output pixel takes; some may weigh nothing.
    KOKKOS_INLINE_FUNCTION int taps() const
    {
        if (in == out)
        {
            return 1;
        }
        return most_taps() < in ? most_taps() : in;
    }

    /// At least as many input pixels as all wanted output pixels together take.
    KOKKOS_INLINE_FUNCTION int most_input() const
    {
        const auto all = static_cast<int>((std::int64_t{count} * in + out - 1) / out) + most_taps();
        return all < in ? all : in;
    }
};

/// What every wanted output pixel i takes: input pixels first[i] + k with weight[i * taps + k].
struct Taps
{
    int* first;
    int* weight;
    int taps;
};

/// The weights of one axis. first: at least axis.count ints; weight: at least axis.count * axis.taps().
template <class Team>
KOKKOS_INLINE_FUNCTION Taps fill_taps(const Team& team, const Axis& axis, int* first, int* weight)
{
    const int taps = axis.taps();
    // In units of 1 / (2 · out) input pixels: the triangle's half width, and below the distance from its centre.
    const std::int64_t reach = std::int64_t{2} * (axis.in > axis.out ? axis.in : axis.out);
    for_spans(team, 1, axis.count,
              [&](int, int begin, int end)
              {
                  for (int i = begin; i < end; ++i)
                  {
                      const std::int64_t center = (std::int64_t{2} * (axis.begin + i) + 1) * axis.in;
                      const std::int64_t lowest = center - reach - axis.out;
                      std::int64_t start = lowest < 0 ? 0 : lowest / (2 * axis.out) + 1;
                      start = start < axis.in - taps ? start : axis.in - taps;
                      first[i] = static_cast<int>(start);
                      const auto height_at = [&](int k)
                      {
                          const std::int64_t distance = (2 * (start + k) + 1) * axis.out - center;
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
                          weight[i * taps + k] = static_cast<int>(scaled / static_cast<double>(total) + 0.5);
                      }
                  }
              });
    return {first, weight, taps};
}

/// The weighted sum of `Count` values (0: of `count`) that are `Stride` apart; weights are not negative and sum to
/// about 1, so it needs no clipping.
template <int Count>
KOKKOS_FORCEINLINE_FUNCTION std::uint8_t weighted(const std::uint8_t* value, std::ptrdiff_t stride, const int* weight,
                                                  int count)
{
    int sum = half_weight;
    for (int k = 0; k < (Count > 0 ? Count : count); ++k)
    {
        sum += value[k * stride] * weight[k];
    }
    return static_cast<std::uint8_t>(sum >> weight_bits);
}

/// The first pass: rows of interleaved pixels, `row_stride` bytes apart, become planes of the wanted width, left and
/// right exchanged if `mirrored`.
template <class Team>
KOKKOS_INLINE_FUNCTION void resize_rows(const Team& team, const std::uint8_t* pixels, std::ptrdiff_t row_stride,
                                        const Taps& taps, bool mirrored, const Planes& out)
{
    with_small_constant(taps.taps,
                        [&](auto count)
                        {
                            for_spans(team, out.height, out.width,
                                      [&](int row, int begin, int end)
                                      {
                                          const std::uint8_t* in = pixels + row * row_stride;
                                          std::uint8_t* red = out.plane(0) + row * out.width;
                                          std::uint8_t* green = out.plane(1) + row * out.width;
                                          std::uint8_t* blue = out.plane(2) + row * out.width;
                                          for (int i = begin; i < end; ++i)
                                          {
                                              const std::uint8_t* first = in + taps.first[i] * channels;
                                              const int* weight = taps.weight + i * taps.taps;
                                              const int to = mirrored ? out.width - 1 - i : i;
                                              red[to] = weighted<count()>(first, channels, weight, taps.taps);
                                              green[to] = weighted<count()>(first + 1, channels, weight, taps.taps);
                                              blue[to] = weighted<count()>(first + 2, channels, weight, taps.taps);
                                          }
                                      });
                        });
}

/// The second pass: along the columns. `first_row` is the row of the picture that in's row 0 holds.
template <class Team>
KOKKOS_INLINE_FUNCTION void resize_columns(const Team& team, const Planes& in, int first_row, const Taps& taps,
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
                                          const std::uint8_t* first =
                                              in.plane(channel) + (taps.first[i] - first_row) * in.width;
                                          const int* weight = taps.weight + i * taps.taps;
                                          std::uint8_t* to = out.data + row * out.width;
                                          for (int x = begin; x < end; ++x)
                                          {
                                              to[x] = weighted<count()>(first + x, in.width, weight, taps.taps);
                                          }
                                      });
                        });
}
}  // namespace paws::kernels::augment
