#include "src/nn/winograd.hpp"

#include <cmath>
#include <random>
#include <vector>

#include "src/nn/blocked_convolution.hpp"
#include "tests/support/catch.hpp"

namespace
{
namespace winograd = paws::nn::winograd;
using winograd::Images;
using Floats = std::vector<float>;

/// Root mean square of errors over that of values, of 16 to 512 channels: what F(4×4, 3×3) loses in float32.
constexpr double tolerance = 4e-6;

Floats waves(std::int64_t count, unsigned seed)
{
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal;
    Floats values(static_cast<std::size_t>(count));
    for (auto& value : values)
    {
        value = normal(generator);
    }
    return values;
}

/// Images [N, C / 16, H, W, 16] with zeros around them.
struct Blocks
{
    const Floats& values;
    std::int64_t channels, height, width;

    double operator()(std::int64_t image, std::int64_t channel, std::int64_t y, std::int64_t x) const
    {
        const bool is_inside = y >= 0 && x >= 0 && y < height && x < width;
        const auto row = ((image * (channels / 16) + channel / 16) * height + y) * width + x;
        return is_inside ? values[static_cast<std::size_t>(row * 16 + channel % 16)] : 0.0;
    }
};

struct Error
{
    double errors = 0, squares = 0;
    void add(double value, double expected)
    {
        errors += (value - expected) * (value - expected);
        squares += expected * expected;
    }
    double relative() const { return std::sqrt(errors / squares); }
};

struct WinogradResults
{
    Floats y, grad_x, grad_w, grad_bias;
    bool operator==(const WinogradResults&) const = default;
};

struct WinogradCase
{
    explicit WinogradCase(const Images& images)
        : shape(images),
          x(waves(images.images * images.in * images.height * images.width, 1)),
          grad_y(waves(images.images * images.out * images.height * images.width, 2)),
          addend(waves(static_cast<std::int64_t>(grad_y.size()), 3)),
          w(waves(images.out * images.in * 9, 4)),
          bias(waves(images.out, 5)),
          strides{images.in * 9, 1, images.in * 3, images.in}
    {
    }
    Images shape;
    Floats x, grad_y, addend, w, bias;
    winograd::Strides strides;

    double weight(std::int64_t o, std::int64_t i, std::int64_t ky, std::int64_t kx) const
    {
        return w[static_cast<std::size_t>(o * strides.o + i * strides.i + ky * strides.ky + kx * strides.kx)];
    }

    /// All of it, share by share.
    WinogradResults by(std::int64_t shares) const
    {
        WinogradResults results{Floats(grad_y.size()), Floats(x.size()), Floats(w.size()), Floats(bias.size())};
        const Images turned{shape.images, shape.out, shape.in, shape.height, shape.width};
        const auto matrix_floats = static_cast<std::size_t>(winograd::matrix_floats(shape));
        Floats matrices(matrix_floats), sums(matrix_floats * static_cast<std::size_t>(shares));
        Floats bias_sums(bias.size() * static_cast<std::size_t>(shares));
        // What was in it before must not matter.
        Floats space(static_cast<std::size_t>(
                         std::max(winograd::space_floats(shape, shares), winograd::space_floats(turned, shares))),
                     NAN);
        const auto each = [&](const auto& run)
        {
            for (std::int64_t share = 0; share < shares; ++share)
            {
                run(share);
            }
        };
        each([&](auto s) { transform_weights(shape, w.data(), strides, false, matrices.data(), s, shares); });
        each(
            [&](auto s) {
                convolve(shape, x.data(), matrices.data(), bias.data(), addend.data(), results.y.data(), space.data(),
                         s, shares);
            });
        each([&](auto s) { transform_weights(turned, w.data(), strides, true, matrices.data(), s, shares); });
        each(
            [&](auto s)
            {
                convolve(turned, grad_y.data(), matrices.data(), nullptr, nullptr, results.grad_x.data(), space.data(),
                         s, shares);
            });
        each(
            [&](auto s)
            {
                sum_gradients(shape, x.data(), grad_y.data(), sums.data() + static_cast<std::size_t>(s) * matrix_floats,
                              bias_sums.data() + s * shape.out, space.data(), s, shares);
            });
        each([&](auto s) { finish_gradients(shape, sums.data(), results.grad_w.data(), strides, s, shares); });
        for (std::size_t i = 0; i < bias_sums.size(); ++i)
        {
            results.grad_bias[i % bias.size()] += bias_sums[i];
        }
        return results;
    }

    /// Against plain loops in double, at some places.
    void check(const WinogradResults& results) const
    {
        const auto [images, in, out, height, width] = shape;
        const Blocks of_x{x, in, height, width}, of_grad{grad_y, out, height, width},
            of_addend{addend, out, height, width};
        const Blocks y{results.y, out, height, width}, grad_x{results.grad_x, in, height, width};
        std::mt19937 generator(6);
        const auto any = [&](std::int64_t end)
        { return static_cast<std::int64_t>(generator() % static_cast<unsigned>(end)); };
        Error in_y, in_grad_x, in_grad_w, in_grad_bias;
        for (int place = 0; place < 300; ++place)
        {
            const auto n = any(images), o = any(out), i = any(in), r = any(height), c = any(width);
            double value = bias[static_cast<std::size_t>(o)] + of_addend(n, o, r, c), gradient = 0;
            for (int k = 0; k < 9; ++k)
            {
                const auto ky = k / 3, kx = k % 3;
                for (std::int64_t j = 0; j < in; ++j)
                {
                    value += of_x(n, j, r + ky - 1, c + kx - 1) * weight(o, j, ky, kx);
                }
                for (std::int64_t j = 0; j < out; ++j)
                {
                    gradient += of_grad(n, j, r + 1 - ky, c + 1 - kx) * weight(j, i, ky, kx);
                }
            }
            in_y.add(y(n, o, r, c), value);
            in_grad_x.add(grad_x(n, i, r, c), gradient);
        }
        for (int place = 0; place < 40; ++place)
        {
            const auto o = any(out), i = any(in), ky = any(3), kx = any(3);
            double gradient = 0, of_bias = 0;
            for (std::int64_t n = 0; n < images; ++n)
            {
                for (std::int64_t r = 0; r < height; ++r)
                {
                    for (std::int64_t c = 0; c < width; ++c)
                    {
                        gradient += of_grad(n, o, r, c) * of_x(n, i, r + ky - 1, c + kx - 1);
                        of_bias += of_grad(n, o, r, c);
                    }
                }
            }
            const auto at = o * strides.o + i * strides.i + ky * strides.ky + kx * strides.kx;
            in_grad_w.add(results.grad_w[static_cast<std::size_t>(at)], gradient);
            in_grad_bias.add(results.grad_bias[static_cast<std::size_t>(o)], of_bias);
        }
        CHECK(in_y.relative() < tolerance);
        CHECK(in_grad_x.relative() < tolerance);
        CHECK(in_grad_w.relative() < tolerance);
        CHECK(in_grad_bias.relative() < tolerance);
    }
};
}  // namespace

TEST_CASE("Winograd's convolutions and their gradients agree with plain loops in double", "[nn]")
{
    if (!paws::nn::has_blocked_convolutions())
    {
        WARN("this processor has no AVX-512: Winograd's convolutions are not tested");
        return;
    }
    // The stages of wide_resnet28w2 for large and small views and the way into them, resnet50's layers, and what fits
    // neither tiles nor groups of them.
    for (const auto& images : std::vector<Images>{{3, 32, 32, 32, 32},
                                                  {3, 64, 64, 16, 16},
                                                  {3, 128, 128, 8, 8},
                                                  {3, 32, 32, 18, 18},
                                                  {3, 64, 64, 9, 9},
                                                  {3, 128, 128, 5, 5},
                                                  {2, 16, 32, 32, 32},
                                                  {2, 64, 128, 9, 9},
                                                  {1, 64, 64, 56, 56},
                                                  {1, 256, 256, 14, 14},
                                                  {1, 512, 512, 7, 7},
                                                  {7, 48, 16, 7, 10},
                                                  {1, 16, 80, 1, 3},
                                                  {43, 16, 16, 4, 4}})
    {
        INFO(images.images << " images " << images.height << "x" << images.width << ", " << images.in << " to "
                           << images.out << " channels");
        const WinogradCase convolution(images);
        for (const std::int64_t shares : {1, 3})
        {
            convolution.check(convolution.by(shares));
        }
    }
}

TEST_CASE("shares of Winograd's convolutions give the same bits again", "[nn]")
{
    if (!paws::nn::has_blocked_convolutions())
    {
        return;
    }
    const WinogradCase convolution({5, 32, 48, 18, 13});
    const auto alone = convolution.by(1), two = convolution.by(2);
    CHECK(alone.y == two.y);
    CHECK(alone.grad_x == two.grad_x);
    CHECK(two == convolution.by(2));
}
