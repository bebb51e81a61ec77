// The random choices of the augmentation: their ranges, how often they come, that none depends on another.

#include <cmath>
#include <map>

#include "kernels/augment/params.hpp"
#include "tests/support/catch.hpp"

using paws::kernels::AugmentSpec;
using paws::kernels::ViewRandom;
using namespace paws::kernels::augment;

namespace
{
constexpr int draws = 20000;

AugmentSpec everything()
{
    AugmentSpec spec;
    spec.size = 32;
    spec.scale_min = 0.2;
    spec.scale_max = 0.6;
    spec.flip_p = 0.5;
    spec.jitter_p = 0.8;
    spec.brightness = 0.4;
    spec.contrast = 1.5;
    spec.saturation = 0.1;
    spec.hue = 0.2;
    spec.grey_p = 0.3;
    spec.solarise_p = 0.2;
    spec.equalise_p = 0.1;
    spec.blur_p = 0.6;
    spec.blur_sigma_min = 0.1;
    spec.blur_sigma_max = 2;
    return spec;
}

ViewParams draw(const AugmentSpec& spec, int i, int height = 101, int width = 163)
{
    return draw_params(spec, height, width, ViewRandom(7, 3, static_cast<std::uint64_t>(i), 1));
}

/// Mean, smallest and largest of what is added.
struct Sample
{
    int count = 0;
    double sum = 0;
    double smallest = INFINITY;
    double largest = -INFINITY;

    void add(double value)
    {
        ++count;
        sum += value;
        smallest = std::min(smallest, value);
        largest = std::max(largest, value);
    }
    /// Whether the values fill [low, high] evenly: they reach both ends, stay inside, and their mean is in the middle.
    bool fills(double low, double high) const
    {
        const double margin = (high - low) / 50;
        return smallest >= low && smallest < low + margin && largest <= high && largest > high - margin &&
               std::abs(sum / count - (low + high) / 2) < margin;
    }
};
}  // namespace

TEST_CASE("a sample that is not even is rejected", "[kernels][augment]")
{
    Sample good;
    Sample shifted;
    Sample outside;
    for (int i = 0; i <= 100; ++i)
    {
        good.add(i / 100.0);
        shifted.add(i * i / 10000.0);
        outside.add(i / 90.0);
    }
    CHECK(good.fills(0, 1));
    CHECK_FALSE(good.fills(0, 2));
    CHECK_FALSE(shifted.fills(0, 1));
    CHECK_FALSE(outside.fills(0, 1));
}

TEST_CASE("random choices come as often as asked for", "[kernels][augment]")
{
    const AugmentSpec spec = everything();
    std::map<std::string, double> shares;
    double grey_and_flip = 0;
    for (int i = 0; i < draws; ++i)
    {
        const ViewParams params = draw(spec, i);
        shares["flip"] += params.flip ? 1.0 / draws : 0;
        shares["jitter"] += params.jitter ? 1.0 / draws : 0;
        shares["grey"] += params.grey ? 1.0 / draws : 0;
        shares["solarise"] += params.solarise ? 1.0 / draws : 0;
        shares["equalise"] += params.equalise ? 1.0 / draws : 0;
        shares["blur"] += params.blur ? 1.0 / draws : 0;
        grey_and_flip += params.grey && params.flip ? 1.0 / draws : 0;
    }
    CHECK(shares["flip"] == Approx(0.5).margin(0.015));
    CHECK(shares["jitter"] == Approx(0.8).margin(0.015));
    CHECK(shares["grey"] == Approx(0.3).margin(0.015));
    CHECK(shares["solarise"] == Approx(0.2).margin(0.015));
    CHECK(shares["equalise"] == Approx(0.1).margin(0.015));
    CHECK(shares["blur"] == Approx(0.6).margin(0.015));
    CHECK(grey_and_flip == Approx(0.15).margin(0.015));
}

TEST_CASE("random amounts fill their ranges", "[kernels][augment]")
{
    const AugmentSpec spec = everything();
    Sample brightness;
    Sample contrast;
    Sample saturation;
    Sample hue;
    Sample threshold;
    Sample width_of_blur;
    std::map<int, int> orders;
    for (int i = 0; i < draws; ++i)
    {
        const ViewParams params = draw(spec, i);
        threshold.add(params.threshold);
        if (params.jitter)
        {
            brightness.add(params.brightness / static_cast<double>(1 << factor_bits));
            contrast.add(params.contrast / static_cast<double>(1 << factor_bits));
            saturation.add(params.saturation / static_cast<double>(1 << factor_bits));
            hue.add(params.hue_shift);
            int order = 0;
            int parts = 0;
            for (const Jitter part : params.order)
            {
                order = order * jitter_parts + static_cast<int>(part);
                parts |= 1 << static_cast<int>(part);
            }
            REQUIRE(parts == 15);
            ++orders[order];
        }
        if (params.blur)
        {
            // The variance of three boxes of pixels, which is what the Gaussian was turned into.
            const double inner = params.box.weight / 16777216.0;
            const double edge = params.box.edge_weight / 16777216.0;
            double variance = 0;
            for (int k = 1; k <= params.box.radius; ++k)
            {
                variance += 2 * inner * k * k;
            }
            variance += 2 * edge * (params.box.radius + 1) * (params.box.radius + 1);
            width_of_blur.add(std::sqrt(3 * variance));
        }
    }
    CHECK(brightness.fills(0.6, 1.4));
    CHECK(contrast.fills(0, 2.5));
    CHECK(saturation.fills(0.9, 1.1));
    CHECK(hue.fills(-51, 51));
    CHECK(threshold.fills(0, 256));
    CHECK(width_of_blur.fills(0.0999, 2.0001));
    REQUIRE(orders.size() == 24);
    for (const auto& [order, count] : orders)
    {
        INFO("order " << order);
        CHECK(count == Approx(0.8 * draws / 24).epsilon(0.15));
    }
}

TEST_CASE("random crops have the area and the ratio asked for", "[kernels][augment]")
{
    const AugmentSpec spec = everything();
    Sample area;
    Sample log_ratio;
    Sample row;
    Sample column;
    for (int i = 0; i < draws; ++i)
    {
        const CropBox crop = draw(spec, i, 301, 363).crop;
        REQUIRE(crop.top >= 0);
        REQUIRE(crop.left >= 0);
        REQUIRE(crop.top + crop.height <= 301);
        REQUIRE(crop.left + crop.width <= 363);
        area.add(crop.height * crop.width / (301.0 * 363));
        log_ratio.add(std::log(static_cast<double>(crop.width) / crop.height));
        row.add(crop.top / static_cast<double>(301 - crop.height));
        column.add(crop.left / static_cast<double>(363 - crop.width));
    }
    CHECK(area.fills(0.198, 0.602));
    CHECK(log_ratio.fills(std::log(3 / 4.) - 0.01, std::log(4 / 3.) + 0.01));
    CHECK(row.fills(0, 1));
    CHECK(column.fills(0, 1));
}

TEST_CASE("an image in which no crop fits gives the largest at its centre", "[kernels][augment]")
{
    AugmentSpec spec;
    spec.size = 8;
    const auto check = [&](int height, int width, const CropBox& expected)
    {
        for (int i = 0; i < 50; ++i)
        {
            const CropBox crop = draw(spec, i, height, width).crop;
            CHECK(crop.top == expected.top);
            CHECK(crop.left == expected.left);
            CHECK(crop.height == expected.height);
            CHECK(crop.width == expected.width);
        }
    };
    check(30, 1000, {0, 480, 30, 40});
    check(1000, 30, {480, 0, 40, 30});
    spec.ratio_min = spec.ratio_max = 1.2;
    spec.scale_min = spec.scale_max = 1;
    check(50, 50, {4, 0, 42, 50});
    check(1, 1, {0, 0, 1, 1});
}

TEST_CASE("a choice does not depend on the probabilities of the others", "[kernels][augment]")
{
    const AugmentSpec spec = everything();
    AugmentSpec no_jitter = spec;
    no_jitter.jitter_p = 0;
    no_jitter.flip_p = 1;
    no_jitter.scale_min = 0.6;
    for (int i = 0; i < 200; ++i)
    {
        const ViewParams with = draw(spec, i);
        const ViewParams without = draw(no_jitter, i);
        CHECK_FALSE(without.jitter);
        CHECK(without.flip);
        CHECK(with.grey == without.grey);
        CHECK(with.solarise == without.solarise);
        CHECK(with.threshold == without.threshold);
        CHECK(with.equalise == without.equalise);
        CHECK(with.blur == without.blur);
        CHECK(with.box.weight == without.box.weight);
    }
}

TEST_CASE("halves are rounded to even", "[kernels][augment]")
{
    CHECK(round_half_even(0.5) == 0);
    CHECK(round_half_even(1.5) == 2);
    CHECK(round_half_even(2.5) == 2);
    CHECK(round_half_even(2.5000001) == 3);
    CHECK(round_half_even(2.4999999) == 2);
    CHECK(round_half_even(7) == 7);
}
