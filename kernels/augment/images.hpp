#pragma once

#include "kernels/augment/spec.hpp"
#include "kernels/augment/team.hpp"
#include "kernels/policies.hpp"

namespace paws::kernels::augment
{
inline constexpr std::size_t largest_image = 1 << 16;

/// How many pixels of a reduced image stand for `length` pixels from its beginning.
KOKKOS_INLINE_FUNCTION int reduced_length(int length, int reduction)
{
    return (length + reduction - 1) / reduction;
}

/// An image in memory: interleaved 8-bit RGB, its rows so many bytes apart. Of an image that was decoded at
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

/// One image of a batch [P, H, W, 3].
template <class Images>
KOKKOS_INLINE_FUNCTION Source source_of(const Images& images, std::int64_t row)
{
    const auto height = static_cast<int>(images.extent(1));
    const auto width = static_cast<int>(images.extent(2));
    return {&images(row, 0, 0, 0), std::ptrdiff_t{channels} * width, height, width};
}

/// What both transforms ask of their Views at compile time.
template <class Exec, class Images, class Rows, class Out>
constexpr void check_images()
{
    check_view<Exec, Images, 4>();
    check_view<Exec, Rows, 1>();
    check_view<Exec, Out, 4>();
    static_assert(std::is_same_v<typename Images::non_const_value_type, std::uint8_t>, "images are uint8");
    static_assert(std::is_same_v<typename Images::array_layout, Kokkos::LayoutRight> &&
                      std::is_same_v<typename Out::array_layout, Kokkos::LayoutRight>,
                  "images and views are row-major");
}

inline void validate_size(std::size_t height, std::size_t width)
{
    require(height >= 1 && height <= largest_image && width >= 1 && width <= largest_image,
            "height and width of images must be from 1 to ", largest_image);
}

/// And at run time: [P, H, W, 3] with something in it, and [n, size, size, 3].
template <class Images, class Out>
void validate_shapes(const Images& images, const Out& out, int size)
{
    require(images.extent(3) == channels && out.extent(3) == channels, "images and views must have 3 channels");
    validate_size(images.extent(1), images.extent(2));
    const auto side = static_cast<std::size_t>(size);
    require(out.extent(1) == side && out.extent(2) == side, "out must be of ", size, " x ", size, " pixels");
}
}  // namespace paws::kernels::augment
