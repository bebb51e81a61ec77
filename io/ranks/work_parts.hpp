#pragma once

// How ranks and the threads of a rank share work.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace paws::ranks
{
/// Items [first, last).
struct Part
{
    std::size_t first = 0;
    std::size_t last = 0;
};

/// Items in rounds: in each, every rank takes one part, and the parts of the ranks follow each other. Gives the parts
/// of `rank`; each rank has equally many, of which some may be empty. No part is heavier than `most` by more than an
/// item. `weights`: [items].
std::vector<Part> parts_in_rounds(std::span<const std::uint64_t> weights, std::uint64_t most, int rank, int ranks);

/// Calls `action(i)` for each i of a part, on several threads, in no order. When one throws, no further ones begin, and
/// what it threw is thrown again.
void for_each_on_threads(Part part, std::size_t threads, const std::function<void(std::size_t)>& action);
}  // namespace paws::ranks
