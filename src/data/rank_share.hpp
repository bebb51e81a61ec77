#pragma once

#include <cstdint>

namespace paws::data
{
/// The part of a world's batches that a rank makes. As many ranks as there are in the world make one each; fewer make
/// several (meta.emulate_world).
struct RankShare
{
    std::int64_t first = 0;       ///< the first rank of the world that this process emulates
    std::int64_t count = 1;       ///< how many it emulates
    std::int64_t world_size = 1;  ///< of the world whose mathematics is computed
};

/// `emulate_world`: 0 is the world that there is. A share's batches go through the network as one, since batch norm has
/// common statistics over the whole world: what one after another would compute is something else. Throws
/// config::Error unless all ranks get equally many.
RankShare rank_share(std::int64_t rank, std::int64_t world_size, std::int64_t emulate_world);
}  // namespace paws::data
