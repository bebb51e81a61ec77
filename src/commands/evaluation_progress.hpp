#pragma once

#include <cstdint>

#include "src/comm/world.hpp"
#include "src/train/embedder.hpp"

namespace paws::commands
{
/// A line on the first rank while `images` are evaluated, which all ranks share out equally; it ends with the last copy
/// of what is returned. Empty on other ranks.
train::EmbedProgress evaluation_progress(std::int64_t images, const comm::World& world);
}  // namespace paws::commands
