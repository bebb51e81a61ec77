// Views of images that were decoded at a fraction of their size keep their place and their values.

#include <array>
#include <bit>
#include <cmath>

#include "kernels/augment/host_views.hpp"
#include "tests/kernels/augment_support.hpp"
#include "tests/support/catch.hpp"

using paws::kernels::AugmentKey;
using paws::kernels::AugmentSpec;
using paws::kernels::HostViews;
using namespace paws::test;

namespace
{
/// What each reduced pixel stands for, from one pixel of the whole image.
Image reduced(const Image& whole, int by)
{
    Image result((whole.height + by - 1) / by, (whole.width + by - 1) / by);
    for (int y = 0; y < result.height; ++y)
    {
        for (int x = 0; x < result.width; ++x)
        {
            for (int c = 0; c < 3; ++c)
            {
                double sum = 0;
                int count = 0;
                for (int i = y * by; i < std::min(whole.height, (y + 1) * by); ++i)
                {
                    for (int j = x * by; j < std::min(whole.width, (x + 1) * by); ++j)
                    {
                        sum += whole(i, j, c);
                        ++count;
                    }
                }
                result(y, x, c) = static_cast<std::uint8_t>(std::lround(sum / count));
            }
        }
    }
    return result;
}

/// Red grows by one a column, green by one a row.
Image ramp(int height, int width)
{
    Image image(height, width);
    for (int y = 0; y < height; ++y)
    {
        for (int x = 0; x < width; ++x)
        {
            image(y, x, 0) = static_cast<std::uint8_t>(x);
            image(y, x, 1) = static_cast<std::uint8_t>(y);
            image(y, x, 2) = 77;
        }
    }
    return image;
}

constexpr float no_mean[] = {0, 0, 0};
constexpr float no_std[] = {1, 1, 1};

/// Crops and flips.
AugmentSpec crops(int size)
{
    AugmentSpec spec;
    spec.size = size;
    spec.scale_min = 0.05;
    spec.flip_p = 0.5;
    return spec;
}

/// The largest difference of values, in levels, `border` pixels from the edges away.
double largest_difference_within(const std::vector<float>& a, const std::vector<float>& b, int size, int border)
{
    double largest = 0;
    for (int y = border; y < size - border; ++y)
    {
        for (int x = border; x < size - border; ++x)
        {
            for (int c = 0; c < 3; ++c)
            {
                const auto i = static_cast<std::size_t>((y * size + x) * 3 + c);
                largest = std::max(largest, std::abs(255.0 * (a[i] - b[i])));
            }
        }
    }
    return largest;
}
}  // namespace

// On a ramp, a triangle gives the value at its centre: away from the edges, where it is cut, only rounding tells the
// views apart, by at most 3 levels (half a level in each of two passes, in the reduced image too, and up to 0.06
// reduced pixels by which the centroid of a sampled triangle misses its centre). A crop that were half a reduced pixel
// off would be 1 (by 2), 2 or 4 levels (by 8) off.
TEST_CASE("views of reduced images are in the same place", "[kernels][augment]")
{
    const int size = 16;
    const AugmentSpec spec = crops(size);
    const Image whole = ramp(243, 251);
    std::vector<float> expected(static_cast<std::size_t>(size * size * 3));
    std::vector<float> made(expected.size());
    HostViews views;
    std::array<int, 9> times{};
    std::array<double, 9> mean{};
    for (std::uint32_t view = 0; view < 300; ++view)
    {
        const AugmentKey key{5, 1};
        const auto most = HostViews::may_reduce(spec, key, whole.height, whole.width, 3, view);
        const auto by = static_cast<int>(std::bit_floor(static_cast<unsigned>(std::min(8, most))));
        ++times[static_cast<std::size_t>(by)];
        const Image small = reduced(whole, by);
        views.make(spec, key, whole.values.data(), whole.height, whole.width, 3, view, expected.data());
        views.make(spec, key, small.values.data(), whole.height, whole.width, 3, view, made.data(), by);
        INFO("view " << view << " at 1/" << by);
        if (by == 1)
        {
            CHECK(made == expected);
            continue;
        }
        CHECK(largest_difference_within(made, expected, size, 2) <= 3.001);
        // At the edges the triangles are cut at pixels of different sizes.
        CHECK(largest_difference_within(made, expected, size, 0) <= 3.001 + by);
        double sum = 0;
        for (int y = 2; y < size - 2; ++y)
        {
            for (int x = 2; x < size - 2; ++x)
            {
                const auto i = static_cast<std::size_t>((y * size + x) * 3);
                sum += 255.0 * (made[i] - expected[i]) + 255.0 * (made[i + 1] - expected[i + 1]);
            }
        }
        mean[static_cast<std::size_t>(by)] =
            std::max(mean[static_cast<std::size_t>(by)], std::abs(sum) / (2.0 * (size - 4) * (size - 4)));
    }
    // All reductions came up, and on average over a view, rounding cancels.
    for (const std::size_t by : {2U, 4U, 8U})
    {
        INFO("1/" << by << ", mean " << mean[by]);
        CHECK(times[by] > 5);
        CHECK(mean[by] < 0.8);
    }
}

TEST_CASE("views at the centre of reduced images are in the same place", "[kernels][augment]")
{
    HostViews views;
    for (const auto& [height, width, resize, crop, by] :
         {std::array{243, 251, 30, 28, 8}, std::array{251, 200, 50, 44, 4}, std::array{199, 251, 90, 64, 2},
          std::array{120, 130, 61, 60, 1}})
    {
        INFO(height << " x " << width << " to " << resize);
        REQUIRE(std::bit_floor(static_cast<unsigned>(HostViews::may_reduce_center(resize, crop, height, width))) ==
                static_cast<unsigned>(by));
        const Image whole = ramp(height, width);
        const Image small = reduced(whole, by);
        std::vector<float> expected(static_cast<std::size_t>(crop * crop * 3));
        std::vector<float> made(expected.size());
        views.make_center(resize, crop, no_mean, no_std, whole.values.data(), height, width, expected.data());
        views.make_center(resize, crop, no_mean, no_std, small.values.data(), height, width, made.data(), by);
        CHECK(largest_difference_within(made, expected, crop, 2) <= (by == 1 ? 0 : 3.001));
    }
}

TEST_CASE("small crops allow no reduction", "[kernels][augment]")
{
    AugmentSpec spec = crops(96);
    spec.scale_max = 0.14;
    for (std::uint32_t view = 0; view < 100; ++view)
    {
        // 0.14 of 500 × 375 pixels is less than 2 · 96 pixels each way.
        CHECK(HostViews::may_reduce(spec, {}, 375, 500, 0, view) == 1);
    }
    CHECK(HostViews::may_reduce_center(256, 224, 375, 500) == 1);
    CHECK(HostViews::may_reduce_center(256, 224, 511, 2000) == 1);
    CHECK(HostViews::may_reduce_center(256, 224, 512, 2000) == 2);
    CHECK(HostViews::may_reduce_center(0, 224, 4000, 4000) == 1);
    std::vector<float> out(3 * 16 * 16);
    const Image image = noisy_image(8, 8);
    CHECK_THAT(message_of(
                   [&]()
                   {
                       HostViews views;
                       views.make(crops(16), {}, image.values.data(), 8, 8, 0, 0, out.data(), 0);
                   }),
               Catch::Matchers::Contains("reduction"));
}
