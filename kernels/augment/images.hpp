#pragma once

#include "kernels/augment/spec.hpp"
#include "kernels/augment/team.hpp"
#include "kernels/policies.hpp"

namespace paws::kernels::augment
{
inline constexpr std::size_t largest_picture = 1 << 16;

/// How many pixels of a reduced picture stand for `length` pixels from its beginning.
KOKKOS_INLINE_FUNCTION int reduced_length(int length, int reduction)
{
    return (length + reduction - 1) / reduction;
}

/// A picture in memory: interleaved 8-bit RGB, its rows so many bytes apart. Of a picture that was decoded at
/// 1 / reduction of its size, height and width are what it had; each pixel stands for reduction × reduction of them, at
/// the end for what is left.
struct Source
{
    const std::uint8_t* pixels;
    std::ptrdiff_t row_bytes;
    int height;
    int width;
    int reduction = 1;
};

/// One picture of a batch [P, H, W, 3].
template <class Pictures>
KOKKOS_INLINE_FUNCTION Source source_of(const Pictures& pictures, std::int64_t row)
{
    const auto height = static_cast<int>(pictures.extent(1));
    const auto width = static_cast<int>(pictures.extent(2));
    return {&pictures(row, 0, 0, 0), std::ptrdiff_t{channels} * width, height, width};
}

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

inline void validate_size(std::size_t height, std::size_t width)
{
    require(height >= 1 && height <= largest_picture && width >= 1 && width <= largest_picture,
            "height and width of pictures must be from 1 to ", largest_picture);
}

/// And at run time: [P, H, W, 3] with something in it, and [n, size, size, 3].
template <class Pictures, class Out>
void validate_shapes(const Pictures& pictures, const Out& out, int size)
{
    require(pictures.extent(3) == channels && out.extent(3) == channels, "pictures and views must have 3 channels");
    validate_size(pictures.extent(1), pictures.extent(2));
    const auto side = static_cast<std::size_t>(size);
    require(out.extent(1) == side && out.extent(2) == side, "out must be of ", size, " x ", size, " pixels");
}
}  // namespace paws::kernels::augment
