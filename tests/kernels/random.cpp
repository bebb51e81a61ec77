#include "kernels/random.hpp"

#include <set>

#include "tests/support/catch.hpp"

using namespace paws::kernels;

namespace
{
bool equal(const Words& a, const Words& b)
{
    return a.word[0] == b.word[0] && a.word[1] == b.word[1] && a.word[2] == b.word[2] && a.word[3] == b.word[3];
}
}  // namespace

TEST_CASE("Philox gives the published vectors", "[kernels][random]")
{
    CHECK(equal(philox4x32({{0, 0, 0, 0}}, 0, 0), {{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}}));
    CHECK(equal(philox4x32({{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}}, 0xffffffff, 0xffffffff),
                {{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}}));
    CHECK(equal(philox4x32({{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}}, 0xa4093822, 0x299f31d0),
                {{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}));
    CHECK_FALSE(equal(philox4x32({{1, 0, 0, 0}}, 0, 0), {{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}}));
}

TEST_CASE("the random numbers of a view depend on each part of its key, to the highest bit", "[kernels][random]")
{
    std::set<std::uint32_t> seen;
    const auto add = [&](std::uint64_t seed, std::uint32_t epoch, std::uint64_t image, std::uint32_t view,
                         std::uint32_t block) { seen.insert(ViewRandom(seed, epoch, image, view)(block).word[0]); };
    add(0, 0, 0, 0, 0);
    add(1, 0, 0, 0, 0);
    add(std::uint64_t{1} << 63, 0, 0, 0, 0);
    add(0, 1, 0, 0, 0);
    add(0, 1U << 31, 0, 0, 0);
    add(0, 0, 1, 0, 0);
    add(0, 0, std::uint64_t{1} << 63, 0, 0);
    add(0, 0, 0, 1, 0);
    add(0, 0, 0, 1U << 23, 0);
    add(0, 0, 0, 0, 1);
    add(0, 0, 0, 0, 255);
    CHECK(seen.size() == 11);
}

TEST_CASE("random words become numbers in their ranges", "[kernels][random]")
{
    constexpr std::uint32_t last = 0xffffffff;
    CHECK(uniform(0, -2, 3) == -2);
    CHECK(uniform(last, -2, 3) < 3);
    CHECK(uniform(last, -2, 3) > 2.99999999);
    CHECK(uniform(1U << 31, -2, 3) == 0.5);

    CHECK_FALSE(chance(0, 0));
    CHECK(chance(last, 1));
    CHECK(chance((1U << 30) - 1, 0.25));
    CHECK_FALSE(chance(1U << 30, 0.25));

    CHECK(pick(0, 7) == 0);
    CHECK(pick(last, 7) == 6);
    CHECK(pick(last, 1) == 0);
    int counts[7] = {};
    for (std::uint32_t i = 0; i < 70000; ++i)
    {
        ++counts[pick(philox4x32({{i, 0, 0, 0}}, 5, 6).word[3], 7)];
    }
    for (const int count : counts)
    {
        CHECK(std::abs(count - 10000) < 500);
    }
}
