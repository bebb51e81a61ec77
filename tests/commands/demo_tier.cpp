#include "src/commands/demo_tier.hpp"

#include <cmath>
#include <limits>

#include "src/optim/schedule.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/small_run.hpp"

namespace
{
using namespace paws;
using commands::tier_for;

std::string name_for(double speed)
{
    return tier_for(speed).name;
}
}  // namespace

TEST_CASE("a tier begins at its least speed", "[tasks]")
{
    CHECK(name_for(1e-9) == "tiny");
    CHECK(name_for(80) == "tiny");
    CHECK(name_for(200) == "small");
    CHECK(name_for(300) == "medium");
    CHECK(name_for(450) == "usual");
    CHECK(name_for(700) == "large");
    CHECK(name_for(2000) == "huge");
    CHECK(name_for(1e9) == "huge");
    for (const auto& tier : commands::demo_tiers().subspan(1))
    {
        CHECK(name_for(tier.least_per_second) == tier.name);
        CHECK(name_for(std::nextafter(tier.least_per_second, 0)) != tier.name);
    }
}

TEST_CASE("what is no speed chooses no tier", "[tasks]")
{
    constexpr auto infinity = std::numeric_limits<double>::infinity();
    for (const double speed : {0., -1., -infinity, infinity, std::nan("")})
    {
        CHECK_THROWS_WITH(tier_for(speed), Catch::Contains("is no speed") && Catch::Contains("--tier (tiny, small"));
    }
}

TEST_CASE("tiers grow, and end within eight minutes at their least speed", "[tasks]")
{
    const auto tiers = commands::demo_tiers();
    CHECK(tiers.front().least_per_second == 0);
    for (std::size_t n = 1; n < tiers.size(); ++n)
    {
        const auto images = [&](std::size_t tier)
        { return static_cast<double>(tiers[tier].epochs * tiers[tier].images); };
        CHECK(images(n) > images(n - 1));
        CHECK(tiers[n].least_per_second > tiers[n - 1].least_per_second);
        CHECK(images(n) / tiers[n].least_per_second < 480);
        // Nor is one so short that the next smaller machine would do better.
        CHECK(images(n) / tiers[n].least_per_second > 300);
    }
}

TEST_CASE("tiers are found by name", "[tasks]")
{
    for (const auto& tier : commands::demo_tiers())
    {
        CHECK(&commands::tier_named(tier.name) == &tier);
    }
    CHECK(commands::tier_names() == "tiny, small, medium, usual, large, huge");
    for (const auto* name : {"", "Tiny", "tiny ", "enormous"})
    {
        CHECK_THROWS_WITH(commands::tier_named(name),
                          Catch::Contains("--tier") && Catch::Contains("choose one of tiny"));
    }
}

TEST_CASE("a tier's schedule fits its epochs", "[tasks]")
{
    const test::SmallRun small;
    const auto config = small.config("run");  // 3 epochs, of them 1 of warm-up
    CHECK_FALSE(commands::has_own_size(config));
    for (const auto& tier : commands::demo_tiers())
    {
        const auto sized = commands::with_tier(config, tier, 60'000);
        CHECK(sized.optimization.epochs == tier.epochs);
        CHECK(sized.optimization.warmup == tier.epochs / 3);
        CHECK(sized.data.unlabelled_count == (tier.images == 60'000 ? 0 : tier.images));
        // It reads as a file that a user writes.
        CHECK(config::parse(sized.to_yaml(), "sized.yaml", {}) == sized);
    }
    const auto& tiny = commands::tier_named("tiny");
    CHECK(commands::with_tier(config, tiny, 26).data.unlabelled_count == 0);
    auto other = commands::with_tier(config, tiny, 26);
    other.optimization.epochs = config.optimization.epochs;
    other.optimization.warmup = config.optimization.warmup;
    CHECK(other == config);
}

TEST_CASE("a size of one's own is noticed", "[tasks]")
{
    const test::SmallRun small;
    CHECK(commands::has_own_size(small.config("run", {"optimization.epochs=4"})));
    CHECK(commands::has_own_size(small.config("run", {"data.unlabelled_count=20"})));
    CHECK(commands::set_size({"meta.seed=1", "optimization.epochs=3"}));
    CHECK(commands::set_size({"data.unlabelled_count=0"}));
    CHECK_FALSE(commands::set_size({}));
    CHECK_FALSE(commands::set_size({"meta.seed=1", "optimization.epochs_more=3", "optimization.lr=1"}));
}
