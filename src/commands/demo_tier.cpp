#include "src/commands/demo_tier.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>

namespace paws::commands
{
namespace
{
constexpr std::int64_t all_images = 60'000;

// The training on the labels alone costs as much as some 19,000 images, and eight minutes are 480 seconds:
// least_per_second is (epochs * images + 19,000) / 480, rounded up to whole tens.
constexpr std::array tiers{
    DemoTier{"tiny", 1, 30'000, 0},         DemoTier{"small", 1, all_images, 170},
    DemoTier{"medium", 2, all_images, 290}, DemoTier{"usual", 3, all_images, 420},
    DemoTier{"large", 5, all_images, 670},  DemoTier{"huge", 8, all_images, 1040},
};
/// The one that configs/demo.yaml describes.
constexpr const auto& usual = tiers[3];
}  // namespace

std::span<const DemoTier> demo_tiers()
{
    return tiers;
}

const DemoTier& tier_for(double images_per_second)
{
    if (!std::isfinite(images_per_second) || images_per_second <= 0)
    {
        throw std::invalid_argument(
            fmt::format("{} images/s is no speed to choose the demo's size by; choose one with --tier ({})",
                        images_per_second, tier_names()));
    }
    const auto slower = std::find_if(tiers.rbegin(), tiers.rend(),
                                     [&](const auto& tier) { return tier.least_per_second <= images_per_second; });
    return *slower;
}

const DemoTier& tier_named(const std::string& name)
{
    const auto* const found =
        std::find_if(tiers.begin(), tiers.end(), [&](const auto& tier) { return tier.name == name; });
    if (found == tiers.end())
    {
        throw config::Error(fmt::format("--tier: there is no '{}'; choose one of {}", name, tier_names()));
    }
    return *found;
}

std::string tier_names()
{
    std::string names;
    for (const auto& tier : tiers)
    {
        names += (names.empty() ? "" : ", ") + std::string(tier.name);
    }
    return names;
}

bool set_size(const std::vector<std::string>& overrides)
{
    return std::any_of(
        overrides.begin(), overrides.end(),
        [](const std::string& text)
        { return text.starts_with("optimization.epochs=") || text.starts_with("data.unlabelled_count="); });
}

bool has_own_size(const config::Config& config)
{
    return config.optimization.epochs != usual.epochs || config.data.unlabelled_count != 0;
}

config::Config with_tier(const config::Config& config, const DemoTier& tier, std::int64_t available)
{
    auto sized = config;
    auto& optimization = sized.optimization;
    optimization.warmup = config.optimization.warmup * tier.epochs / std::max<std::int64_t>(1, optimization.epochs);
    optimization.epochs = tier.epochs;
    sized.data.unlabelled_count = tier.images < available ? tier.images : 0;
    return sized;
}
}  // namespace paws::commands
