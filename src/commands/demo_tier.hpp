#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "src/config/config.hpp"

namespace paws::commands
{
/// A size of the demo's training.
struct DemoTier
{
    const char* name;
    std::int64_t epochs;
    std::int64_t images;      ///< without labels, of an epoch
    double least_per_second;  ///< images a second from which on this size ends in time
};

/// From the smallest, which any speed will do for, to the largest. All ends within eight minutes from its least speed
/// on, the training on labels alone included, and the PAWS training takes some five at the least speed of the next.
std::span<const DemoTier> demo_tiers();

/// The largest whose least speed is reached. Throws std::invalid_argument for what is no speed.
const DemoTier& tier_for(double images_per_second);

/// Throws config::Error, which lists the names, where there is none of that name.
const DemoTier& tier_named(const std::string& name);

/// "tiny, small, ...".
std::string tier_names();

/// Whether one of the settings of --set, "section.key=value", sets the size.
bool set_size(const std::vector<std::string>& overrides);

/// Whether the configuration asks for another size than configs/demo.yaml, which is that of a tier.
bool has_own_size(const config::Config& config);

/// The configuration with the size of `tier`, out of `available` images: the warm-up keeps its share of the epochs.
config::Config with_tier(const config::Config& config, const DemoTier& tier, std::int64_t available);
}  // namespace paws::commands
