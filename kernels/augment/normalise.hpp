#pragma once

#include "kernels/augment/team.hpp"
#include "kernels/storage_types.hpp"

namespace paws::kernels::augment
{
/// (value / 255 − mean) / std of each channel, as (value − offset) · scale. A compiler cannot contract a subtraction
/// that comes before a product, so the result is the same everywhere.
struct Normalisation
{
    float offset[channels];
    float scale[channels];

    Normalisation(const float (&mean)[channels], const float (&std)[channels])
    {
        for (int c = 0; c < channels; ++c)
        {
            offset[c] = static_cast<float>(255.0 * mean[c]);
            scale[c] = static_cast<float>(1 / (255.0 * std[c]));
        }
    }
};

/// A value as it is stored: rounded to a storage type, cast to any other.
template <class Value>
KOKKOS_FORCEINLINE_FUNCTION void put(Value& place, float value)
{
    if constexpr (std::is_same_v<typename Compute<Value>::type, Value>)
    {
        place = static_cast<Value>(value);
    }
    else
    {
        store(place, value);
    }
}

/// Writes an image as height × width pixels of three normalised values each, one after the other.
template <class Team, class Value>
PAWS_STEP_FUNCTION void write_normalised(const Team& team, const Planes& image, const Normalisation& normalisation,
                                         Value* out)
{
    for_spans(team, 1, image.pixels(),
              [&](int, int begin, int end)
              {
                  const std::uint8_t* KOKKOS_RESTRICT red = image.plane(0);
                  const std::uint8_t* KOKKOS_RESTRICT green = image.plane(1);
                  const std::uint8_t* KOKKOS_RESTRICT blue = image.plane(2);
                  Value* KOKKOS_RESTRICT to = out;
                  const Normalisation n = normalisation;
                  for (int i = begin; i < end; ++i)
                  {
                      put(to[channels * i], (static_cast<float>(red[i]) - n.offset[0]) * n.scale[0]);
                      put(to[channels * i + 1], (static_cast<float>(green[i]) - n.offset[1]) * n.scale[1]);
                      put(to[channels * i + 2], (static_cast<float>(blue[i]) - n.offset[2]) * n.scale[2]);
                  }
              });
}
}  // namespace paws::kernels::augment
