#include "src/data/pictures.hpp"

#include <numeric>

namespace paws::data
{
std::vector<std::int64_t> Pictures::all_rows() const
{
    std::vector<std::int64_t> rows(labels.size());
    std::iota(rows.begin(), rows.end(), 0);
    return rows;
}

std::int64_t Pictures::bytes() const
{
    return in_memory() ? pixels.numel() : stored ? stored->bytes() : 0;
}

std::int64_t Pictures::next_of_class(std::int64_t row) const
{
    const auto label = labels[static_cast<std::size_t>(row)];
    auto next = row;
    do
    {
        next = (next + 1) % count();
    } while (labels[static_cast<std::size_t>(next)] != label);
    return next;
}
}  // namespace paws::data
