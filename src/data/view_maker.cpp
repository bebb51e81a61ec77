#include "src/data/view_maker.hpp"

#include <fmt/format.h>

#include "io/error.hpp"

namespace paws::data
{
namespace
{
/// A class all of whose pictures are broken is no class: looking for another picture ends here.
constexpr int most_replacements = 100;
}  // namespace

ViewMaker::Pixels ViewMaker::pixels_of(std::int64_t row, const StoredSplit::Bytes& stored)
{
    if (pictures_.in_memory())
    {
        const auto& all = pictures_.pixels;
        const auto height = all.size(1);
        const auto width = all.size(2);
        return {all.data_ptr<std::uint8_t>() + row * height * width * 3, static_cast<int>(height),
                static_cast<int>(width)};
    }
    const auto& split = *pictures_.stored;
    if (!split.is_encoded())
    {
        return {stored->data(), static_cast<int>(split.height()), static_cast<int>(split.width())};
    }
    const auto& name = pictures_.names[static_cast<std::size_t>(row)];
    split.require_whole(row, *stored, name);
    decoded_ = io::decode_picture(*stored, name);
    return {decoded_.pixels.data(), static_cast<int>(decoded_.height), static_cast<int>(decoded_.width)};
}

void ViewMaker::make(const PictureOrder& order, const std::vector<ViewKind>& kinds, const StoredSplit::Bytes& stored,
                     std::set<std::string>& broken)
{
    auto row = order.row;
    auto bytes = stored;
    Pixels pixels{};
    for (int replacement = 0;; ++replacement)
    {
        try
        {
            pixels = pixels_of(row, bytes);
            break;
        }
        catch (const io::Error& error)
        {
            if (!skip_broken_ || replacement == most_replacements)
            {
                throw io::Error(fmt::format("{} (data.skip_broken: true goes on without such pictures)", error.what()));
            }
            broken.insert(error.what());
            row = pictures_.next_of_class(row);
            bytes = pictures_.stored->read({&row, 1}).front();
        }
    }
    for (const auto& view : order.views)
    {
        const auto& kind = kinds[view.kind];
        if (const auto* const random = std::get_if<RandomView>(&kind))
        {
            views_.make(random->spec, random->key, pixels.data, pixels.height, pixels.width, order.row, view.number,
                        view.out);
        }
        else
        {
            const auto& center = std::get<CenterView>(kind);
            const float mean[] = {center.mean[0], center.mean[1], center.mean[2]};
            const float std[] = {center.std[0], center.std[1], center.std[2]};
            views_.make_center(center.resize, center.crop, mean, std, pixels.data, pixels.height, pixels.width,
                               view.out);
        }
    }
}
}  // namespace paws::data
