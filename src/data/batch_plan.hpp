#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <variant>
#include <vector>

#include "kernels/augment/spec.hpp"

namespace paws::data
{
/// A random training view.
struct RandomView
{
    kernels::AugmentSpec spec;
    kernels::AugmentKey key;
};

/// The view of evaluation: the shorter side resized to `resize` pixels (0: not), then the centre crop.
struct CenterView
{
    int resize = 0;
    int crop = 0;
    std::array<float, 3> mean{0, 0, 0};
    std::array<float, 3> std{1, 1, 1};
};

using ViewKind = std::variant<RandomView, CenterView>;

/// The side of such a view in pixels.
inline std::int64_t view_size(const ViewKind& kind)
{
    const auto* const random = std::get_if<RandomView>(&kind);
    return random ? random->spec.size : std::get<CenterView>(kind).crop;
}

/// One view of an image, and its place among the views of its kind.
struct ViewOrder
{
    std::size_t kind = 0;
    std::uint32_t number = 0;  ///< of a random view
    std::int64_t place = 0;
};

/// All the views of one image, which is read and decoded once for them.
struct ImageOrder
{
    std::int64_t row = 0;
    std::vector<ViewOrder> views;
};

/// A batch as it is asked for: which views of which images. The views of a kind make one tensor, float32
/// [count, size, size, 3], each of whose places is given to one view.
struct BatchPlan
{
    std::vector<ViewKind> kinds;
    std::vector<std::int64_t> counts;  ///< of views of each kind
    std::vector<ImageOrder> images;
    std::vector<std::int64_t> classes;  ///< given along with the views, as they are
};

/// Gives one plan after another, one call at a time; nothing ends the sequence.
using NextPlan = std::function<std::optional<BatchPlan>()>;
}  // namespace paws::data
