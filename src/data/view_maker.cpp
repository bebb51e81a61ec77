#include "src/data/view_maker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "io/base/error.hpp"
#include "kernels/augment/host_views.hpp"

namespace paws::data
{
namespace
{
/// A class all of whose images are corrupt is no class: looking for another image ends here.
constexpr int most_replacements = 100;

/// How many times smaller a JPEG of this size may be decoded: every view that is wanted of it still finds at least as
/// many pixels as it has itself.
int reduction_for(const ImageOrder& order, const std::vector<ViewKind>& kinds, int height, int width)
{
    int most = 8;
    for (const auto& view : order.views)
    {
        const auto& kind = kinds[view.kind];
        const auto* const random = std::get_if<RandomView>(&kind);
        const auto* const center = std::get_if<CenterView>(&kind);
        most = std::min(
            most, random
                      ? kernels::HostViews::may_reduce(random->spec, random->key, height, width, order.row, view.number)
                      : kernels::HostViews::may_reduce_center(center->resize, center->crop, height, width));
        if (most == 1)
        {
            break;
        }
    }
    return static_cast<int>(std::bit_floor(static_cast<unsigned>(most)));
}
}  // namespace

ViewMaker::ViewMaker(const Images& images, bool skip_broken, bool reduced_decoding)
    : images_(images),
      skip_broken_(skip_broken),
      reduced_decoding_(reduced_decoding),
      views_(std::make_unique<kernels::HostViews>())
{
}

ViewMaker::~ViewMaker() = default;

ViewMaker::Pixels ViewMaker::pixels_of(std::int64_t row, const StoredSplit::Bytes& stored, const ImageOrder& order,
                                       const std::vector<ViewKind>& kinds)
{
    if (images_.in_memory())
    {
        const auto& all = images_.pixels;
        const auto height = all.size(1);
        const auto width = all.size(2);
        return {all.data_ptr<std::uint8_t>() + row % all.size(0) * height * width * 3, static_cast<int>(height),
                static_cast<int>(width)};
    }
    const auto& split = *images_.stored;
    if (!split.is_encoded())
    {
        return {stored->data(), static_cast<int>(split.height()), static_cast<int>(split.width())};
    }
    const auto& name = images_.names[static_cast<std::size_t>(row)];
    split.require_whole(row, *stored, name);
    const auto choose = [&](std::size_t height, std::size_t width)
    { return reduced_decoding_ ? reduction_for(order, kinds, static_cast<int>(height), static_cast<int>(width)) : 1; };
    const auto decoded = decoder_.decode(*stored, name, choose);
    return {decoded.pixels.data(), static_cast<int>(decoded.height), static_cast<int>(decoded.width),
            decoded.reduction};
}

void ViewMaker::make(const ImageOrder& order, const std::vector<ViewKind>& kinds, const std::vector<float*>& begins,
                     const StoredSplit::Bytes& stored, std::set<std::string>& corrupt)
{
    auto row = order.row;
    auto bytes = stored;
    Pixels pixels{};
    for (int replacement = 0;; ++replacement)
    {
        try
        {
            pixels = pixels_of(row, bytes, order, kinds);
            break;
        }
        catch (const io::Error& error)
        {
            if (!skip_broken_ || replacement == most_replacements)
            {
                throw io::Error(fmt::format("{} (data.skip_broken: true goes on without such images)", error.what()));
            }
            corrupt.insert(error.what());
            row = images_.next_of_class(row);
            bytes = images_.stored->read({&row, 1}).front();
        }
    }
    for (const auto& view : order.views)
    {
        const auto& kind = kinds[view.kind];
        const auto size = view_size(kind);
        auto* const out = begins[view.kind] + view.place * size * size * 3;
        if (const auto* const random = std::get_if<RandomView>(&kind))
        {
            views_->make(random->spec, random->key, pixels.data, pixels.height, pixels.width, order.row, view.number,
                         out, pixels.reduction);
        }
        else
        {
            const auto& center = std::get<CenterView>(kind);
            const float mean[] = {center.mean[0], center.mean[1], center.mean[2]};
            const float std[] = {center.std[0], center.std[1], center.std[2]};
            views_->make_center(center.resize, center.crop, mean, std, pixels.data, pixels.height, pixels.width, out,
                                pixels.reduction);
        }
    }
}
}  // namespace paws::data
