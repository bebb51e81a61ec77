#pragma once

#include <algorithm>
#include <type_traits>

#include "kernels/batch_norm/strips.hpp"

// Images in blocks of channels, for the host: the order that oneDNN's Winograd convolutions work in, where the pixels
// of 16 channels lie together. A pass walks through them image by image and block by block, so that it reads memory
// from end to end.

namespace paws::kernels
{
inline constexpr int block_channels = 16;

/// What is stored, as a type: values of T in blocks of channels.
template <class T>
struct InBlocks
{
};
template <class T>
struct Compute<InBlocks<T>>
{
    using type = T;
};

/// [N, C / 16, H·W, 16] in memory, seen as rows of channels as passes see a matrix [R, C]. The rows of an image are
/// neighbours; those of the next one begin at row_of(1, 0).
template <class T>
struct BlockedImages
{
    using value_type = T;
    using non_const_value_type = std::remove_const_t<T>;

    T* values;
    std::int64_t images;
    std::int64_t pixels;
    int channels;

    std::int64_t row_of(std::int64_t image, std::int64_t pixel) const
    {
        return image * (channels / block_channels) * pixels + pixel;
    }
    T& operator()(std::int64_t row, int channel) const
    {
        return values[(row + channel / block_channels * pixels) * block_channels + channel % block_channels];
    }
};

namespace batch_norm
{
template <class View>
inline constexpr bool is_blocked = false;
template <class T>
inline constexpr bool is_blocked<BlockedImages<T>> = true;

/// The width of a strip in such images.
struct BlockWidth : Constant<block_channels>
{
};
template <>
inline constexpr int capacity<BlockWidth> = block_channels;

/// Images a matrix [R, C] of which a pass may take on Exec.
template <class Exec, class View>
constexpr void check_images()
{
    if constexpr (is_blocked<View>)
    {
        static_assert(runs_on_host<Exec>, "images in blocks are for the host");
    }
    else
    {
        check_view<Exec, View, 2>();
    }
}

/// Images [N, C / 16, H·W, 16] in chunks: some images each, or where they are large, a part of one.
struct BlockedChunks
{
    std::int64_t images;
    std::int64_t pixels;
    int channels;
    std::int64_t images_per_chunk;
    std::int64_t parts;  ///< of an image; 1 where a chunk has more than one

    std::int64_t all_rows() const { return images * pixels; }
    std::int64_t count() const { return (images + images_per_chunk - 1) / images_per_chunk * parts; }
    std::int64_t first_image(std::int64_t chunk) const { return chunk / parts * images_per_chunk; }
    std::int64_t end_image(std::int64_t chunk) const { return std::min(images, first_image(chunk) + images_per_chunk); }
    std::int64_t begin(std::int64_t chunk) const { return pixels * (chunk % parts) / parts; }  ///< of each image
    std::int64_t end(std::int64_t chunk) const { return pixels * (chunk % parts + 1) / parts; }
    std::int64_t rows_of(std::int64_t chunk) const
    {
        return (end_image(chunk) - first_image(chunk)) * (end(chunk) - begin(chunk));
    }
};

inline BlockedChunks blocked_chunks(std::int64_t images, std::int64_t pixels, int channels)
{
    const std::int64_t values = std::max<std::int64_t>(1, pixels * channels);
    return {images, pixels, channels, std::max<std::int64_t>(1, chunk_values / values),
            std::clamp<std::int64_t>(values / chunk_values, 1, std::max<std::int64_t>(1, pixels))};
}

template <class Exec, class T>
BlockedChunks chunks_of(const BlockedImages<T>& x)
{
    return blocked_chunks(x.images, x.pixels, x.channels);
}

/// body(first channel, strips) for every block of channels in a chunk of x; strips(each) calls each(strip) for the rows
/// of each of the chunk's images.
template <class T, class Body>
void for_each_block(const BlockedImages<T>& x, const BlockedChunks& chunks, std::int64_t chunk, const Body& body)
{
    for (int first = 0; first < chunks.channels; first += block_channels)
    {
        body(first,
             [&](const auto& each)
             {
                 for (std::int64_t image = chunks.first_image(chunk); image < chunks.end_image(chunk); ++image)
                 {
                     each(Strip<Constant<1>>{x.row_of(image, chunks.begin(chunk)), x.row_of(image, chunks.end(chunk)),
                                             Constant<1>{}, first});
                 }
             });
    }
}
}  // namespace batch_norm
}  // namespace paws::kernels
