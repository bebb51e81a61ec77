// Each operation of the augmentation chain against a plain loop in double precision, on every host backend.

#include <array>
#include <cmath>

#include "tests/kernels/augment_support.hpp"
#include "tests/support/catch.hpp"

using namespace paws::kernels::augment;
using namespace paws::test;

namespace
{
const std::pair<int, int> odd_sizes[] = {{1, 1}, {1, 57}, {57, 1}, {3, 200}, {43, 57}};

/// Noise of odd sizes, and images that are black, white, grey, saturated, of one colour, or of two.
std::vector<Image> test_images()
{
    std::vector<Image> images;
    for (const auto& [height, width] : odd_sizes)
    {
        images.push_back(noisy_image(height, width));
    }
    images.push_back(plain_image(5, 9, 0, 0, 0));
    images.push_back(plain_image(5, 9, 255, 255, 255));
    images.push_back(plain_image(5, 9, 119, 119, 119));
    images.push_back(plain_image(5, 9, 255, 0, 0));
    images.push_back(plain_image(5, 9, 0, 255, 1));
    images.push_back(plain_image(5, 9, 3, 0, 254));
    Image two_colours = plain_image(20, 31, 10, 20, 30);
    for (std::size_t i = 0; i < two_colours.values.size() / 2; ++i)
    {
        two_colours.values[i] = 240;
    }
    images.push_back(two_colours);
    return images;
}

std::uint8_t to_byte(double value)
{
    return static_cast<std::uint8_t>(std::min(255.0, std::max(0.0, value)));
}

using Colour = std::array<int, 3>;

/// An image made of change(colour) for every pixel.
template <class Change>
Image each_pixel(const Image& image, const Change& change)
{
    Image result(image.height, image.width);
    for (std::size_t i = 0; i < image.values.size(); i += 3)
    {
        const Colour to = change(Colour{image.values[i], image.values[i + 1], image.values[i + 2]});
        for (std::size_t c = 0; c < 3; ++c)
        {
            result.values[i + c] = static_cast<std::uint8_t>(to[c]);
        }
    }
    return result;
}

int plain_luma(const Colour& colour)
{
    return static_cast<int>(std::floor((19595.0 * colour[0] + 38470.0 * colour[1] + 7471.0 * colour[2]) / 65536 + 0.5));
}

Colour plain_blend(int from, const Colour& colour, double factor)
{
    Colour result{};
    for (std::size_t c = 0; c < 3; ++c)
    {
        result[c] = to_byte(from + factor * (colour[c] - from));
    }
    return result;
}

double mean_luma(const Image& image)
{
    double sum = 0;
    each_pixel(image,
               [&](const Colour& colour)
               {
                   sum += plain_luma(colour);
                   return colour;
               });
    return sum / (image.height * image.width);
}

/// The share of values that differ.
double share_of_differences(const Image& a, const Image& b)
{
    double count = 0;
    for (std::size_t i = 0; i < a.values.size(); ++i)
    {
        count += a.values[i] != b.values[i] ? 1 : 0;
    }
    return count / static_cast<double>(a.values.size());
}

/// Fixed-point weights may change a value by 1 where it is almost half way to the next (or whole, where fractions are
/// cut), which is rare: no factors are tested here for which many products are exactly so, the goldens have those.
void check_close(const Image& result, const Image& expected)
{
    CHECK(largest_difference(result, expected) <= 1);
    CHECK((share_of_differences(result, expected) < 0.05 || result.values.size() < 1000));
}

/// Pillow's conversion to HSV, 0 to 255 each, with its types.
Colour pillow_hsv(const Colour& colour)
{
    const int largest = std::max({colour[0], colour[1], colour[2]});
    const int smallest = std::min({colour[0], colour[1], colour[2]});
    if (largest == smallest)
    {
        return {0, 0, largest};
    }
    const auto range = static_cast<float>(largest - smallest);
    const float saturation = range / static_cast<float>(largest);
    const float red = static_cast<float>(largest - colour[0]) / range;
    const float green = static_cast<float>(largest - colour[1]) / range;
    const float blue = static_cast<float>(largest - colour[2]) / range;
    float hue = 0;
    if (colour[0] == largest)
    {
        hue = blue - green;
    }
    else if (colour[1] == largest)
    {
        hue = static_cast<float>(2.0 + static_cast<double>(red) - static_cast<double>(blue));
    }
    else
    {
        hue = static_cast<float>(4.0 + static_cast<double>(green) - static_cast<double>(red));
    }
    hue = static_cast<float>(std::fmod(hue / 6.0 + 1.0, 1.0));
    return {static_cast<int>(hue * 255.0), static_cast<int>(saturation * 255.0), largest};
}

/// The textbook's way back, in double.
Colour rgb_of(const Colour& hsv)
{
    const double saturation = hsv[1] / 255.0;
    const double sixths = hsv[0] * 6 / 255.0;
    const double fraction = sixths - std::floor(sixths);
    const int value = hsv[2];
    const auto low = static_cast<int>(std::round(value * (1 - saturation)));
    const auto falling = static_cast<int>(std::round(value * (1 - saturation * fraction)));
    const auto rising = static_cast<int>(std::round(value * (1 - saturation * (1 - fraction))));
    switch (static_cast<int>(sixths) % 6)
    {
        case 0:
            return {value, rising, low};
        case 1:
            return {falling, value, low};
        case 2:
            return {low, value, rising};
        case 3:
            return {low, falling, value};
        case 4:
            return {rising, low, value};
        default:
            return {value, low, falling};
    }
}

/// A bilinear resize in double whose passes round to 8 bits.
Image plain_resize(const Image& image, const CropBox& crop, int height, int width)
{
    const auto resample = [](int in, int out, int i, const auto& value_at)
    {
        const double scale = static_cast<double>(in) / out;
        const double reach = std::max(1.0, scale);
        const double center = (i + 0.5) * scale;
        double sum = 0;
        double total = 0;
        for (int k = 0; k < in; ++k)
        {
            const double weight = std::max(0.0, 1 - std::abs(k + 0.5 - center) / reach);
            sum += weight * value_at(k);
            total += weight;
        }
        return to_byte(sum / total + 0.5);
    };
    Image narrowed(crop.height, width);
    Image result(height, width);
    for (int c = 0; c < 3; ++c)
    {
        for (int y = 0; y < crop.height; ++y)
        {
            for (int x = 0; x < width; ++x)
            {
                narrowed(y, x, c) =
                    resample(crop.width, width, x, [&](int k) { return image(crop.top + y, crop.left + k, c); });
            }
        }
        for (int y = 0; y < height; ++y)
        {
            for (int x = 0; x < width; ++x)
            {
                result(y, x, c) = resample(crop.height, height, y, [&](int k) { return narrowed(k, x, c); });
            }
        }
    }
    return result;
}

/// Three box blurs each way with the width that the formula of the extended box blur gives; passes round to 8 bits.
Image plain_blur(const Image& image, double sigma)
{
    const double variance = sigma * sigma / 3;
    const double length = std::sqrt(12 * variance + 1);
    const double whole = std::floor((length - 1) / 2);
    const double rest =
        (2 * whole + 1) * (whole * (whole + 1) - 3 * variance) / (6 * (variance - (whole + 1) * (whole + 1)));
    const auto radius = static_cast<int>(whole);
    const auto pass = [&](const Image& in, bool along_rows)
    {
        Image out(in.height, in.width);
        for (int y = 0; y < in.height; ++y)
        {
            for (int x = 0; x < in.width; ++x)
            {
                for (int c = 0; c < 3; ++c)
                {
                    const auto at = [&](int k) -> double {
                        return along_rows ? in(y, std::clamp(x + k, 0, in.width - 1), c)
                                          : in(std::clamp(y + k, 0, in.height - 1), x, c);
                    };
                    double sum = rest * (at(-radius - 1) + at(radius + 1));
                    for (int k = -radius; k <= radius; ++k)
                    {
                        sum += at(k);
                    }
                    out(y, x, c) = to_byte(sum / (2 * radius + 1 + 2 * rest) + 0.5);
                }
            }
        }
        return out;
    };
    Image blurred = image;
    for (int i = 0; i < 6; ++i)
    {
        blurred = pass(blurred, i < 3);
    }
    return blurred;
}
}  // namespace

#ifdef KOKKOS_ENABLE_OPENMP
#define PAWS_HOST_BACKENDS Kokkos::Serial, Kokkos::OpenMP
#else
#define PAWS_HOST_BACKENDS Kokkos::Serial
#endif

TEST_CASE("images that differ are told apart", "[kernels][augment]")
{
    const Image image = noisy_image(4, 5);
    Image other = image;
    CHECK(largest_difference(image, other) == 0);
    other(3, 4, 2) = static_cast<std::uint8_t>(other(3, 4, 2) ^ 1);
    CHECK(largest_difference(image, other) == 1);
    CHECK(share_of_differences(image, other) == 1 / 60.0);
    CHECK(largest_difference(image, noisy_image(5, 4)) == 256);
}

TEMPLATE_TEST_CASE("brightness, contrast and saturation blend as written", "[kernels][augment]", PAWS_HOST_BACKENDS)
{
    for (const Image& image : test_images())
    {
        for (const double factor : {0.0, 0.3017, 0.7183, 1.0, 1.3729, 1.8171, 7.0})
        {
            INFO(image.height << " x " << image.width << ", factor " << factor);
            const int fixed = fixed_factor(factor);
            check_close(apply<TestType>(image, [=](const auto& team, const Planes& p, auto...)
                                        { adjust_brightness(team, p, fixed); }),
                        each_pixel(image, [&](const Colour& colour) { return plain_blend(0, colour, factor); }));

            const auto mean = static_cast<int>(mean_luma(image) + 0.5);
            check_close(apply<TestType>(image, [=](const auto& team, const Planes& p, auto...)
                                        { adjust_contrast(team, p, fixed); }),
                        each_pixel(image, [&](const Colour& colour) { return plain_blend(mean, colour, factor); }));

            check_close(apply<TestType>(image, [=](const auto& team, const Planes& p, auto...)
                                        { adjust_saturation(team, p, fixed); }),
                        each_pixel(image, [&](const Colour& colour)
                                   { return plain_blend(plain_luma(colour), colour, factor); }));
        }
    }
}

TEMPLATE_TEST_CASE("grey and solarise are exact", "[kernels][augment]", PAWS_HOST_BACKENDS)
{
    for (const Image& image : test_images())
    {
        const auto luma_of = [](const Colour& colour)
        {
            const int grey = plain_luma(colour);
            return Colour{grey, grey, grey};
        };
        CHECK(apply<TestType>(image, [](const auto& team, const Planes& p, auto...) { make_grey(team, p); }) ==
              each_pixel(image, luma_of));
        for (const int threshold : {0, 1, 119, 120, 255, 256})
        {
            const auto invert = [&](const Colour& colour)
            {
                Colour result{};
                for (std::size_t c = 0; c < 3; ++c)
                {
                    result[c] = colour[c] < threshold ? colour[c] : 255 - colour[c];
                }
                return result;
            };
            CHECK(apply<TestType>(image, [=](const auto& team, const Planes& p, auto...)
                                  { solarise(team, p, threshold); }) == each_pixel(image, invert));
        }
    }
}

TEMPLATE_TEST_CASE("equalise spreads the histogram", "[kernels][augment]", PAWS_HOST_BACKENDS)
{
    for (const Image& image : test_images())
    {
        Image expected = image;
        for (std::size_t c = 0; c < 3; ++c)
        {
            std::array<int, 256> counts{};
            int last = 0;
            for (std::size_t i = c; i < image.values.size(); i += 3)
            {
                ++counts[image.values[i]];
                last = std::max<int>(last, image.values[i]);
            }
            const int step = (image.height * image.width - counts[static_cast<std::size_t>(last)]) / 255;
            for (std::size_t i = c; i < image.values.size() && step > 0; i += 3)
            {
                int below = step / 2;
                for (std::size_t level = 0; level < image.values[i]; ++level)
                {
                    below += counts[level];
                }
                expected.values[i] = static_cast<std::uint8_t>(std::min(255, below / step));
            }
        }
        INFO(image.height << " x " << image.width);
        CHECK(apply<TestType>(image, [](const auto& team, const Planes& p, const Planes&, std::uint32_t* histogram)
                              { equalise(team, p, histogram); }) == expected);
    }
}

TEMPLATE_TEST_CASE("hue turns as on Pillow's HSV", "[kernels][augment]", PAWS_HOST_BACKENDS)
{
    for (const Image& image : test_images())
    {
        for (const int shift : {-127, -51, -1, 0, 1, 25, 127})
        {
            const auto turn = [&](const Colour& colour)
            {
                Colour hsv = pillow_hsv(colour);
                hsv[0] = (hsv[0] + shift) & 255;
                return rgb_of(hsv);
            };
            INFO(image.height << " x " << image.width << ", shift " << shift);
            CHECK(apply<TestType>(image, [=](const auto& team, const Planes& p, auto...)
                                  { adjust_hue(team, p, shift); }) == each_pixel(image, turn));
        }
    }
}

// Hue is where Pillow's roundings of float decide (see hue_of), so it is compared for the whole colour cube; 51 and 85
// among the steps of blue keep the hues that are whole numbers of 255ths.
TEST_CASE("hue is Pillow's for the colour cube", "[kernels][augment]")
{
    Image cube(256, 256);
    int wrong = 0;
    for (int blue = 0; blue < 256; blue += 3)
    {
        for (int red = 0; red < 256; ++red)
        {
            for (int green = 0; green < 256; ++green)
            {
                cube(red, green, 0) = static_cast<std::uint8_t>(red);
                cube(red, green, 1) = static_cast<std::uint8_t>(green);
                cube(red, green, 2) = static_cast<std::uint8_t>(blue);
            }
        }
        const Image result =
            apply<Kokkos::Serial>(cube, [](const auto& team, const Planes& p, auto...) { adjust_hue(team, p, 0); });
        wrong += result == each_pixel(cube, [](const Colour& colour) { return rgb_of(pillow_hsv(colour)); }) ? 0 : 1;
    }
    CHECK(wrong == 0);
}

TEMPLATE_TEST_CASE("crops are resized by a triangle as wide as two output pixels", "[kernels][augment]",
                   PAWS_HOST_BACKENDS)
{
    for (const auto& [height, width] : odd_sizes)
    {
        const Image image = noisy_image(height, width);
        const CropBox whole{0, 0, height, width};
        const CropBox part{height / 3, width / 4, height - height / 3, width - width / 4 - width / 5};
        for (const CropBox& crop : {whole, part})
        {
            for (const auto& [to_height, to_width] :
                 {std::pair{1, 1}, std::pair{7, 7}, std::pair{18, 18}, std::pair{43, 57}, std::pair{96, 5}})
            {
                INFO(crop.height << " x " << crop.width << " to " << to_height << " x " << to_width);
                const Image expected = plain_resize(image, crop, to_height, to_width);
                const Image result = resized_crop<TestType>(image, crop, to_height, to_width);
                check_close(result, expected);
                const Image mirrored = resized_crop<TestType>(image, crop, to_height, to_width, true);
                bool is_mirror_image = true;
                for (int y = 0; y < to_height; ++y)
                {
                    for (int x = 0; x < to_width; ++x)
                    {
                        for (int c = 0; c < 3; ++c)
                        {
                            is_mirror_image = is_mirror_image && mirrored(y, to_width - 1 - x, c) == result(y, x, c);
                        }
                    }
                }
                CHECK(is_mirror_image);
            }
        }
    }
}

TEST_CASE("resizing keeps an image of one colour and one of the same size", "[kernels][augment]")
{
    using Exec = Kokkos::Serial;
    for (const int value : {0, 1, 127, 254, 255})
    {
        const Image image = plain_image(37, 53, value, 255 - value, value);
        for (const int size : {1, 2, 5, 36, 37, 53, 100})
        {
            CHECK(resized_crop<Exec>(image, {0, 0, 37, 53}, size, size) ==
                  plain_image(size, size, value, 255 - value, value));
        }
    }
    const Image noise = noisy_image(31, 17);
    CHECK(resized_crop<Exec>(noise, {0, 0, 31, 17}, 31, 17) == noise);
}

TEMPLATE_TEST_CASE("blur is three extended box blurs each way", "[kernels][augment]", PAWS_HOST_BACKENDS)
{
    for (const Image& image : test_images())
    {
        // Radii 0, 1, 2 and 4 and one that is larger than all images are high.
        for (const double sigma : {0.0, 0.1, 0.7, 1.3, 1.97, 2.9, 5.0, 70.0})
        {
            INFO(image.height << " x " << image.width << ", sigma " << sigma);
            const Box box = gaussian_box(sigma);
            check_close(apply<TestType>(image, [=](const auto& team, const Planes& p, const Planes& spare, auto...)
                                        { gaussian_blur(team, box, p, spare); }),
                        plain_blur(image, sigma));
        }
    }
}
