#include "src/data/rank_share.hpp"

#include <fmt/format.h>

#include "src/config/config.hpp"

namespace paws::data
{
RankShare rank_share(std::int64_t rank, std::int64_t world_size, std::int64_t emulate_world)
{
    if (emulate_world == 0)
    {
        return {rank, 1, world_size};
    }
    if (emulate_world % world_size != 0)
    {
        throw config::Error(fmt::format(
            "meta.emulate_world: {} is not a multiple of the {} ranks that were started; each rank emulates "
            "equally many, so start a divisor of {}",
            emulate_world, world_size, emulate_world));
    }
    const auto count = emulate_world / world_size;
    return {rank * count, count, emulate_world};
}
}  // namespace paws::data
