#include "io/checkpoint/finite.hpp"

#include <cmath>

#include "tests/io/torch_samples.hpp"

using namespace paws::test;
using namespace paws::io;

namespace
{
const float nan_ = std::nanf(""), infinity = INFINITY;

Array floats(const std::vector<float>& numbers)
{
    return widened(tensor_of(TorchType::float32, {numbers.size()}, numbers));
}
}  // namespace

TEST_CASE("numbers that are not finite are counted", "[io]")
{
    CHECK(count_not_finite(floats({0, -0.0F, 1e38F, 1e-45F})) == 0);
    CHECK(count_not_finite(floats({nan_, 1, infinity, -infinity, -nan_})) == 4);
    CHECK(count_not_finite(floats({})) == 0);
    CHECK(count_not_finite(widened(tensor_of<double>(TorchType::float64, {2}, {1e300, std::nan("")}))) == 1);
    // All bits set: NaN as a number, -1 as a whole one.
    CHECK(count_not_finite(widened(tensor_of<std::int64_t>(TorchType::int64, {1}, {-1}))) == 0);
    CHECK(count_not_finite(widened(tensor_of<std::uint8_t>(TorchType::uint8, {1}, {255}))) == 0);
    CHECK(count_not_finite(widened(tensor_of<std::uint16_t>(TorchType::float16, {2}, {0x7c00, 0x3c00}))) == 1);
}

TEST_CASE("tensors that are not finite are named", "[io]")
{
    CHECK_FALSE(say_not_finite({}).has_value());
    CHECK_FALSE(say_not_finite({{"a", floats({1, 2})}}).has_value());
    CHECK(say_not_finite({{"a", floats({1})}, {"b", floats({nan_, 2, infinity})}}) ==
          "2 of the 3 numbers of 'b' are NaN or infinite");
    CHECK(say_not_finite({{"b", floats({nan_})}, {"c", floats({nan_, nan_})}}) ==
          "1 of the 1 numbers of 'b' and some of 1 other tensor are NaN or infinite");
    CHECK(say_not_finite({{"b", floats({nan_})}, {"c", floats({nan_})}, {"d", floats({nan_})}}) ==
          "1 of the 1 numbers of 'b' and some of 2 other tensors are NaN or infinite");
}

TEST_CASE("narrowing refuses numbers that the narrow type does not have", "[io]")
{
    for (const float number : {65520.0F, 1e-9F, 0.1F, -1e30F})
    {
        CHECK_THROWS_AS(narrowed(floats({1, number}), TorchType::float16), std::invalid_argument);
    }
    CHECK_THROWS_AS(narrowed(floats({0.1F}), TorchType::bfloat16), std::invalid_argument);
    CHECK_THROWS_AS(narrowed(widened(tensor_of<std::int64_t>(TorchType::int64, {1}, {1 << 20})), TorchType::int16),
                    std::invalid_argument);
    CHECK_NOTHROW(narrowed(floats({0.5F, infinity}), TorchType::float16));
}
