#include "io/image/reduce_image.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <stdexcept>

namespace paws::io
{
namespace
{
constexpr std::size_t channels = 3;
constexpr double lobes = 3;
/// Weights are whole numbers of 2^-22: eight bits of a pixel, the sum's sign and one bit beyond fit into 32 with them.
constexpr int weight_bits = 32 - 8 - 2;

double sinc(double x)
{
    return x == 0 ? 1 : std::sin(std::numbers::pi * x) / (std::numbers::pi * x);
}

double lanczos(double x)
{
    return -lobes <= x && x < lobes ? sinc(x) * sinc(x / lobes) : 0;
}

/// What one pixel of the result is made of.
struct Window
{
    std::size_t first = 0;
    std::vector<std::int32_t> weights;
};

std::vector<Window> windows(std::size_t from, std::size_t to)
{
    const double scale = static_cast<double>(from) / static_cast<double>(to);
    const double reach = lobes * scale;
    std::vector<Window> all(to);
    for (std::size_t i = 0; i < to; ++i)
    {
        const double centre = (static_cast<double>(i) + 0.5) * scale;
        const auto first = static_cast<std::size_t>(std::max(0.0, centre - reach + 0.5));
        const auto last = std::min(from, static_cast<std::size_t>(centre + reach + 0.5));
        std::vector<double> weights;
        double total = 0;
        for (std::size_t j = first; j < last; ++j)
        {
            weights.push_back(lanczos((static_cast<double>(j) - centre + 0.5) / scale));
            total += weights.back();
        }
        all[i].first = first;
        for (const double weight : weights)
        {
            const double scaled = weight / total * (1 << weight_bits);
            all[i].weights.push_back(static_cast<std::int32_t>(scaled + (scaled < 0 ? -0.5 : 0.5)));
        }
    }
    return all;
}

std::uint8_t rounded(std::int32_t sum)
{
    return static_cast<std::uint8_t>(std::clamp((sum + (1 << (weight_bits - 1))) >> weight_bits, 0, 255));
}

Image reduce_rows(const Image& in, std::size_t width)
{
    const std::vector<Window> all = windows(in.width, width);
    Image out{in.height, width, std::vector<std::uint8_t>(in.height * width * channels)};
    auto to = out.pixels.begin();
    for (std::size_t y = 0; y < in.height; ++y)
    {
        const std::uint8_t* const row = in.pixels.data() + y * in.width * channels;
        for (const Window& window : all)
        {
            std::int32_t sums[channels] = {};
            const std::uint8_t* pixel = row + window.first * channels;
            for (const std::int32_t weight : window.weights)
            {
                for (std::size_t c = 0; c < channels; ++c)
                {
                    sums[c] += weight * *pixel++;
                }
            }
            to = std::transform(sums, sums + channels, to, rounded);
        }
    }
    return out;
}

Image reduce_columns(const Image& in, std::size_t height)
{
    const std::vector<Window> all = windows(in.height, height);
    const std::size_t row = in.width * channels;
    Image out{height, in.width, std::vector<std::uint8_t>(height * row)};
    std::vector<std::int32_t> sums(row);
    for (std::size_t y = 0; y < height; ++y)
    {
        std::fill(sums.begin(), sums.end(), 0);
        const std::uint8_t* pixel = in.pixels.data() + all[y].first * row;
        for (const std::int32_t weight : all[y].weights)
        {
            for (std::int32_t& sum : sums)
            {
                sum += weight * *pixel++;
            }
        }
        std::transform(sums.begin(), sums.end(), out.pixels.begin() + static_cast<std::ptrdiff_t>(y * row), rounded);
    }
    return out;
}
}  // namespace

std::pair<std::size_t, std::size_t> size_with_shorter_side(std::size_t height, std::size_t width, std::size_t side)
{
    const std::size_t shorter = std::min(height, width);
    return {height == shorter ? side : side * height / shorter, width == shorter ? side : side * width / shorter};
}

Image reduce_image(const Image& image, std::size_t height, std::size_t width)
{
    if (height == 0 || width == 0 || height > image.height || width > image.width)
    {
        throw std::invalid_argument("reduce_image: makes images smaller, and leaves a pixel at least");
    }
    Image out = width < image.width ? reduce_rows(image, width) : image;
    return height < out.height ? reduce_columns(out, height) : out;
}
}  // namespace paws::io
