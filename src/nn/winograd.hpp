#pragma once

#include <cstdint>

namespace paws::nn::winograd
{
// Winograd's F(4×4, 3×3) (arXiv 1509.09308) of float32 images in blocks of 16 channels, for processors with AVX-512:
// 3×3 convolutions with stride 1 and padding 1 and their gradients. An image is cut into tiles of 4×4; a tile of an
// input with its border, 6×6 pixels, becomes 36 values, each of which is multiplied by a matrix [channels of x, of y]
// of its own. Plain arrays and no other library, for this one source is compiled for AVX-512 whatever the rest is.
//
// Work is shared out by chunks of tiles, [0, chunks) of them, and a share is what one thread does of them: share s of
// `shares`. Results are the same bit by bit for the same number of shares, those of `convolve` for any.

/// Whether this build has the code; whether a processor can run it is its caller's question.
bool is_built();

/// Images of x, which has `in` channels (multiples of 16), and of y, which has `out`.
struct Images
{
    std::int64_t images, in, out, height, width;
};

/// Where w[o, i, ky, kx] lies.
struct Strides
{
    std::int64_t o, i, ky, kx;
};

/// Floats of all 36 matrices.
std::int64_t matrix_floats(const Images& images);
/// Floats that a share works in.
std::int64_t space_floats(const Images& images, std::int64_t shares);

/// The matrices of w [out, in, 3, 3]. For the gradient of the input, which is a convolution of y's gradient: `images`
/// with in and out exchanged, and `is_turned`; w is then [in, out, 3, 3].
void transform_weights(const Images& images, const float* weights, const Strides& strides, bool is_turned,
                       float* matrices, std::int64_t share, std::int64_t shares);

/// y = x * w + bias + addend. x: [images, in / 16, height, width, 16]; bias: [out] or null; addend: of y's shape or
/// null.
void convolve(const Images& images, const float* x, const float* matrices, const float* bias, const float* addend,
              float* y, float* space, std::int64_t share, std::int64_t shares);

/// A share's part of the gradients of the matrices, `sums`, and of the bias, `bias_sums` [out].
void sum_gradients(const Images& images, const float* x, const float* grad_y, float* sums, float* bias_sums,
                   float* space, std::int64_t share, std::int64_t shares);
/// The gradient of w from the sums of all shares, which lie one behind the other.
void finish_gradients(const Images& images, const float* sums, float* grad_weights, const Strides& strides,
                      std::int64_t share, std::int64_t shares);
}  // namespace paws::nn::winograd
