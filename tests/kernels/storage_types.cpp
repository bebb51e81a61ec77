#include "kernels/storage_types.hpp"

#include <cmath>
#include <limits>

#include "tests/support/catch.hpp"

using namespace paws::kernels;

namespace
{
/// The value of a binary16 by its definition.
double value_of(std::uint16_t bits)
{
    const int exponent = (bits >> 10) & 31;
    const int fraction = bits & 1023;
    const double magnitude = exponent == 0    ? std::ldexp(fraction, -24)
                             : exponent == 31 ? (fraction == 0 ? std::numeric_limits<double>::infinity()
                                                               : std::numeric_limits<double>::quiet_NaN())
                                              : std::ldexp(1024 + fraction, exponent - 25);
    return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

std::uint16_t stored(float value)
{
    float16 place{};
    store(place, value);
    return place.bits;
}
}  // namespace

TEST_CASE("all float16 values become floats and back", "[kernels]")
{
    int wrong = 0;
    for (std::uint32_t i = 0; i < 65536; ++i)
    {
        const auto bits = static_cast<std::uint16_t>(i);
        const float value = load(float16{bits});
        const double exact = value_of(bits);
        const bool same = std::isnan(exact) ? std::isnan(value) && std::isnan(load(float16{stored(value)}))
                                            : static_cast<double>(value) == exact && stored(value) == bits;
        wrong += same ? 0 : 1;
    }
    CHECK(wrong == 0);
}

TEST_CASE("floats are rounded to the nearest float16, ties to even", "[kernels]")
{
    int wrong = 0;
    for (std::uint16_t bits = 0; bits < 0x7BFF; ++bits)
    {
        const auto above = static_cast<std::uint16_t>(bits + 1);
        const auto middle = static_cast<float>((value_of(bits) + value_of(above)) / 2);
        const std::uint16_t even = bits % 2 == 0 ? bits : above;
        wrong += stored(middle) == even ? 0 : 1;
        wrong += stored(std::nextafter(middle, 0.0F)) == bits ? 0 : 1;
        wrong += stored(std::nextafter(middle, 1e9F)) == above ? 0 : 1;
        wrong += stored(-middle) == (even | 0x8000) ? 0 : 1;
    }
    CHECK(wrong == 0);
    CHECK(stored(65519.0F) == 0x7BFF);
    CHECK(stored(65520.0F) == 0x7C00);
    CHECK(stored(1e30F) == 0x7C00);
    CHECK(stored(-std::numeric_limits<float>::infinity()) == 0xFC00);
    CHECK(std::isnan(load(float16{stored(std::numeric_limits<float>::quiet_NaN())})));
    CHECK(stored(1e-30F) == 0);
}

TEST_CASE("floats are rounded to the nearest bfloat16, ties to even", "[kernels]")
{
    const auto rounded = [](float value)
    {
        bfloat16 place{};
        store(place, value);
        return load(place);
    };
    CHECK(rounded(1.00390625F) == 1.0F);        // half a unit above an even one
    CHECK(rounded(1.01171875F) == 1.015625F);   // half a unit above an odd one
    CHECK(rounded(1.00390637F) == 1.0078125F);  // a little more than half
    CHECK(rounded(-3.0F) == -3.0F);
    CHECK(rounded(3.4e38F) == std::numeric_limits<float>::infinity());
    CHECK(std::isnan(rounded(std::numeric_limits<float>::quiet_NaN())));
}
