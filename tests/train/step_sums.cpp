#include "src/train/step_sums.hpp"

#include <cmath>

#include "tests/support/catch.hpp"

using namespace paws;

namespace
{
void add(train::StepSums& sums, float a, double b, int overflowed = 0)
{
    sums.add({torch::tensor(a), torch::tensor(b, torch::kFloat64), torch::tensor(overflowed, torch::kInt32)});
}
}  // namespace

TEST_CASE("values of steps are added up until they are read", "[train]")
{
    const auto alone = comm::make_single_rank();
    train::StepSums sums(torch::kCPU, false);
    CHECK(sums.steps() == 0);
    add(sums, 1.5F, 0.1);
    add(sums, 2, 0.3);
    CHECK(sums.steps() == 2);
    const auto reading = sums.read(*alone, {7, 0});
    CHECK(reading.own.sums == logging::StepValues{3.5, 0.1 + 0.3});
    CHECK(reading.own.steps == 2);
    CHECK(reading.mean.sums == reading.own.sums);
    CHECK(reading.overflows == 0);
    CHECK(reading.steps_until == 2);
    CHECK(reading.extra == logging::StepValues{7, 0});
    CHECK(sums.steps() == 0);
    add(sums, 4, 5);
    CHECK(sums.read(*alone).own.sums == logging::StepValues{4, 5});
}

TEST_CASE("the first step that is NaN or infinite is found", "[train]")
{
    const auto alone = comm::make_single_rank();
    const auto nan = std::nanf("");
    train::StepSums sums(torch::kCPU, false);
    add(sums, 1, 1);
    add(sums, 1, 1, 2);
    add(sums, nan, 1);
    add(sums, 1, 1);
    auto reading = sums.read(*alone);
    CHECK(reading.overflows == 1);
    CHECK(reading.steps_until == 1);
    CHECK(std::isnan(reading.own.sums[0]));
    CHECK(reading.own.sums[1] == 4);

    // With a loss scale overflows are to be expected, but not a loss that is NaN or infinite without one.
    train::StepSums scaled(torch::kCPU, true);
    add(scaled, 1, 1, 1);
    add(scaled, nan, 1, 1);
    add(scaled, 2, 1);
    reading = scaled.read(*alone);
    CHECK(reading.overflows == 2);
    CHECK(reading.steps_until == 3);
    CHECK(reading.own.sums == logging::StepValues{3, 2});
    CHECK(reading.own.steps == 2);
    add(scaled, 2, 1);
    add(scaled, nan, 1);
    reading = scaled.read(*alone);
    CHECK(reading.steps_until == 1);
    CHECK(std::isnan(reading.mean.sums[0]));
}
