#pragma once

#include <map>
#include <string>
#include <vector>

namespace paws::nn
{
enum class Family
{
    basic,       ///< residual network; blocks of two 3×3 convolutions
    bottleneck,  ///< residual network; blocks of 1×1, 3×3 (with the stride), 1×1 with four times the channels
    wide,        ///< wide residual network for small images
};

/// What tells one network from another.
struct Architecture
{
    Family family = Family::basic;
    std::vector<int> blocks;  ///< of each stage
    int widen = 1;            ///< multiplies the channels of every stage

    /// As wide residual networks are called by: 6 blocks + 4.
    int depth() const { return 6 * blocks.front() + 4; }

    bool operator==(const Architecture&) const = default;
};

/// The networks that make_encoder knows, by name.
const std::map<std::string, Architecture>& architectures();
}  // namespace paws::nn
