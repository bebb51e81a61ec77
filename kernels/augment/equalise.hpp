#pragma once

#include "kernels/augment/team.hpp"

namespace paws::kernels::augment
{
inline constexpr int levels = 256;

/// Pillow's ImageOps.equalize, in place: each channel's values are spread so that its histogram becomes even.
/// A channel of one value, or of so few pixels that a step would hold none, stays.
/// histogram: channels · levels counters of the team; what they hold before is of no matter.
template <class Team>
PAWS_STEP_FUNCTION void equalise(const Team& team, const Planes& image, std::uint32_t* histogram)
{
    const int pixels = image.pixels();
    for_spans(team, 1, channels * levels,
              [&](int, int begin, int end)
              {
                  for (int i = begin; i < end; ++i)
                  {
                      histogram[i] = 0;
                  }
              });
    for_spans(team, channels, pixels,
              [&](int channel, int begin, int end)
              {
                  const std::uint8_t* value = image.plane(channel);
                  std::uint32_t* counters = histogram + channel * levels;
                  for (int i = begin; i < end; ++i)
                  {
                      count_one(team, counters[value[i]]);
                  }
              });
    // The histogram becomes the table of new values. A prefix sum of 256 is too short to be worth sharing.
    for_spans(team, channels, 1,
              [&](int channel, int, int)
              {
                  std::uint32_t* table = histogram + channel * levels;
                  int last = levels - 1;
                  while (table[last] == 0)
                  {
                      --last;
                  }
                  const std::uint32_t step = (static_cast<std::uint32_t>(pixels) - table[last]) / 255;
                  std::uint32_t below = step / 2;
                  for (int i = 0; i <= last; ++i)
                  {
                      const std::uint32_t count = table[i];
                      const std::uint32_t spread = step > 0 ? below / step : static_cast<std::uint32_t>(i);
                      table[i] = spread < 255 ? spread : 255;
                      below += count;
                  }
              });
    for_spans(team, channels, pixels,
              [&](int channel, int begin, int end)
              {
                  std::uint8_t* KOKKOS_RESTRICT value = image.plane(channel);
                  const std::uint32_t* KOKKOS_RESTRICT table = histogram + channel * levels;
                  for (int i = begin; i < end; ++i)
                  {
                      value[i] = static_cast<std::uint8_t>(table[value[i]]);
                  }
              });
}
}  // namespace paws::kernels::augment
