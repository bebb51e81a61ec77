#include "src/data/images.hpp"

#include <numeric>

namespace paws::data
{
std::vector<std::int64_t> Images::all_rows() const
{
    std::vector<std::int64_t> rows(labels.size());
    std::iota(rows.begin(), rows.end(), 0);
    return rows;
}

const torch::Tensor& Images::pixels_on(torch::Device device) const
{
    if (device.is_cpu())
    {
        return pixels;
    }
    if (!lie_on(device))
    {
        copy_on_device = pixels.to(device);
    }
    return copy_on_device;
}

bool Images::lie_on(torch::Device device) const
{
    if (device.is_cpu())
    {
        return in_memory();
    }
    // A device without an index is the current one, and a rank has one alone.
    return copy_on_device.defined() && (!device.has_index() || copy_on_device.device() == device);
}

std::int64_t Images::bytes() const
{
    return in_memory() ? pixels.numel() : stored ? stored->bytes() : 0;
}

std::int64_t Images::next_of_class(std::int64_t row) const
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
