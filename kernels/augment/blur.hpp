#pragma once

#include "kernels/augment/team.hpp"
#include "kernels/math.hpp"

// Pillow's GaussianBlur: three box blurs along the rows, then three along the columns, each rounded to 8 bits. The box
// has a fractional width ("extended box blur", Gwosdek et al., SSVM 2011): its two outermost pixels count in part.
namespace paws::kernels::augment
{
/// A box in 24-bit fixed point: pixels up to `radius` away weigh `weight`, those one further `edge_weight`.
struct Box
{
    int radius;
    std::uint32_t weight;
    std::uint32_t edge_weight;
};

inline constexpr int box_passes = 3;

/// The box that, applied three times, has the variance sigma².
KOKKOS_INLINE_FUNCTION Box gaussian_box(double sigma)
{
    const double variance = sigma * sigma / box_passes;
    const double whole = math::floor((math::sqrt(12 * variance + 1) - 1) / 2);
    const double rest =
        (2 * whole + 1) * (whole * (whole + 1) - 3 * variance) / (6 * (variance - (whole + 1) * (whole + 1)));
    const double radius = whole + rest;
    const auto inner = static_cast<int>(radius);
    const auto weight = static_cast<std::uint32_t>((1 << 24) / (2 * radius + 1));
    const std::uint32_t covered = static_cast<std::uint32_t>(2 * inner + 1) * weight;
    return {inner, weight, ((1U << 24) - covered) / 2};
}

/// One blurred value: `at(offset)` gives the value so many pixels further. `Reach` is radius + 1, or 0: not known yet.
template <int Reach, class At>
KOKKOS_FORCEINLINE_FUNCTION std::uint8_t box_value(const Box& box, const At& at)
{
    // The few bytes of a small box sum up to 16 bits, of which a vector holds twice as many.
    using Sum = std::conditional_t<(Reach > 0), std::uint16_t, std::uint32_t>;
    const int reach = Reach > 0 ? Reach : box.radius + 1;
    Sum inner = at(0);
    for (int k = 1; k < reach; ++k)
    {
        inner = static_cast<Sum>(inner + at(-k) + at(k));
    }
    const auto edges = static_cast<Sum>(at(-reach) + at(reach));
    return static_cast<std::uint8_t>((inner * box.weight + edges * box.edge_weight + (1U << 23)) >> 24);
}

KOKKOS_FORCEINLINE_FUNCTION int clamp_index(int index, int last)
{
    return index < 0 ? 0 : index > last ? last : index;
}

/// One box blur along the rows. Beyond a row's ends its first and last value go on.
template <int Reach, class Team>
PAWS_STEP_FUNCTION void box_rows(const Team& team, const Box& box, const Planes& from, const Planes& to)
{
    for_spans(team, channels * from.height, from.width,
              [&](int row, int begin, int end)
              {
                  const std::uint8_t* KOKKOS_RESTRICT in = from.data + row * from.width;
                  std::uint8_t* KOKKOS_RESTRICT out = to.data + row * from.width;
                  const Box local = box;
                  const int last = from.width - 1;
                  const auto near_an_end = [&](int x)
                  {
                      const auto at = [&](int offset) { return in[clamp_index(x + offset, last)]; };
                      out[x] = box_value<Reach>(local, at);
                  };
                  const int inside = last - local.radius;
                  int x = begin;
                  for (; x < end && x <= local.radius; ++x)
                  {
                      near_an_end(x);
                  }
                  const int inside_end = end < inside ? end : inside;
                  for (; x < inside_end; ++x)
                  {
                      out[x] = box_value<Reach>(local, [&](int offset) { return in[x + offset]; });
                  }
                  for (; x < end; ++x)
                  {
                      near_an_end(x);
                  }
              });
}

/// The same along the columns.
template <int Reach, class Team>
PAWS_STEP_FUNCTION void box_columns(const Team& team, const Box& box, const Planes& from, const Planes& to)
{
    for_spans(team, channels * from.height, from.width,
              [&](int row, int begin, int end)
              {
                  const int y = row % from.height;
                  const std::uint8_t* KOKKOS_RESTRICT in = from.plane(row / from.height);
                  std::uint8_t* KOKKOS_RESTRICT out = to.data + row * from.width;
                  const Box local = box;
                  const int width = from.width;
                  const int last = from.height - 1;
                  for (int x = begin; x < end; ++x)
                  {
                      const auto at = [&](int offset) { return in[clamp_index(y + offset, last) * width + x]; };
                      out[x] = box_value<Reach>(local, at);
                  }
              });
}

/// Blurs in place; `spare` is of the same size.
template <class Team>
KOKKOS_INLINE_FUNCTION void gaussian_blur(const Team& team, const Box& box, const Planes& image, const Planes& spare)
{
    with_small_constant(box.radius + 1,
                        [&](auto reach)
                        {
                            box_rows<decltype(reach)::value>(team, box, image, spare);
                            box_rows<decltype(reach)::value>(team, box, spare, image);
                            box_rows<decltype(reach)::value>(team, box, image, spare);
                            box_columns<decltype(reach)::value>(team, box, spare, image);
                            box_columns<decltype(reach)::value>(team, box, image, spare);
                            box_columns<decltype(reach)::value>(team, box, spare, image);
                        });
}
}  // namespace paws::kernels::augment
