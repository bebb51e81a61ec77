#pragma once

#include "kernels/augment/spec.hpp"
#include "kernels/augment/team.hpp"
#include "kernels/policies.hpp"

namespace paws::kernels::augment
{
/// What both transforms ask of their Views at compile time.
template <class Exec, class Pictures, class Rows, class Out>
constexpr void check_pictures()
{
    check_view<Exec, Pictures, 4>();
    check_view<Exec, Rows, 1>();
    check_view<Exec, Out, 4>();
    static_assert(std::is_same_v<typename Pictures::non_const_value_type, std::uint8_t>, "pictures are uint8");
    static_assert(std::is_same_v<typename Pictures::array_layout, Kokkos::LayoutRight> &&
                      std::is_same_v<typename Out::array_layout, Kokkos::LayoutRight>,
                  "pictures and views are row-major");
}

/// And at run time: [P, H, W, 3] with something in it, and [n, size, size, 3].
template <class Pictures, class Out>
void validate_shapes(const Pictures& pictures, const Out& out, int size)
{
    constexpr std::size_t largest_picture = 1 << 16;
    require(pictures.extent(3) == channels && out.extent(3) == channels, "pictures and views must have 3 channels");
    require(pictures.extent(1) >= 1 && pictures.extent(1) <= largest_picture && pictures.extent(2) >= 1 &&
                pictures.extent(2) <= largest_picture,
            "height and width of pictures must be from 1 to " + std::to_string(largest_picture));
    const auto side = static_cast<std::size_t>(size);
    require(out.extent(1) == side && out.extent(2) == side,
            "out must be of " + std::to_string(size) + " x " + std::to_string(size) + " pixels");
}
}  // namespace paws::kernels::augment
