#include "src/commands/view_sheet.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "io/base/printable.hpp"
#include "io/base/quantity.hpp"
#include "io/image/png.hpp"
#include "src/config/task_traits.hpp"
#include "src/data/augmentation.hpp"
#include "src/data/dataset.hpp"
#include "src/data/samplers.hpp"
#include "src/data/view_maker.hpp"

namespace paws::commands
{
namespace
{
constexpr std::int64_t most_images = 100;
constexpr std::int64_t gap = 4;
/// Smaller large views are enlarged, by a whole number, to be seen.
constexpr std::int64_t visible_side = 96;

/// RGB pixels in white, [height, width, 3].
class Canvas
{
public:
    Canvas(std::int64_t height, std::int64_t width)
        : height_(height), width_(width), pixels_(static_cast<std::size_t>(height * width * 3), 255)
    {
    }

    /// view: [side, side, 3], from 0 to 1; each pixel becomes zoom × zoom.
    void draw(const float* view, std::int64_t side, std::int64_t zoom, std::int64_t top, std::int64_t left)
    {
        for (std::int64_t y = 0; y < side * zoom; ++y)
        {
            for (std::int64_t x = 0; x < side * zoom; ++x)
            {
                const auto* const from = view + (y / zoom * side + x / zoom) * 3;
                auto* const to = pixels_.data() + ((top + y) * width_ + left + x) * 3;
                std::transform(from, from + 3, to,
                               [](float value) { return static_cast<std::uint8_t>(std::lround(255 * value)); });
            }
        }
    }

    void write(const std::filesystem::path& path) const
    {
        io::write_png(path, pixels_, static_cast<std::size_t>(height_), static_cast<std::size_t>(width_));
    }

private:
    std::int64_t height_;
    std::int64_t width_;
    std::vector<std::uint8_t> pixels_;
};

/// A place of a row: which kind of view goes there.
struct Cell
{
    std::size_t kind;
    std::uint32_t number;
    std::int64_t side;
};

/// The images to draw, of all classes alike.
std::vector<std::int64_t> drawn_rows(const data::Dataset& dataset, std::int64_t seed, std::int64_t count)
{
    const auto& rows = dataset.unlabelled;
    auto order = data::random_permutation(static_cast<std::int64_t>(rows.size()), static_cast<std::uint64_t>(seed));
    order.resize(std::min(order.size(), static_cast<std::size_t>(count)));
    for (auto& place : order)
    {
        place = rows[static_cast<std::size_t>(place)];
    }
    return order;
}
}  // namespace

Summary view_sheet(const config::Config& config, std::int64_t images, const std::filesystem::path& output)
{
    if (images < 1 || images > most_images)
    {
        throw config::Error(fmt::format("--images: {} rows; give 1 to {}", images, most_images));
    }
    if (!config::all_training.contains(config.task))
    {
        throw config::Error(fmt::format("task: {} makes no training views; give the configuration of a training run",
                                        to_string(config.task)));
    }
    auto data = config.data;
    data.normalize = false;
    const auto dataset = data::load_dataset(config, data::Splits::train);
    const kernels::AugmentKey key{static_cast<std::uint64_t>(config.meta.seed), 0};
    std::vector<data::ViewKind> kinds = {data::center_view(data), data::RandomView{data::large_view_spec(data), key}};
    std::vector<Cell> cells = {{0, 0, data.eval_crop_size}, {1, 0, data.crop_size}, {1, 1, data.crop_size}};
    if (data.multicrop > 0)
    {
        kinds.emplace_back(data::RandomView{data::small_view_spec(data), key});
    }
    for (std::int64_t v = 0; v < data.multicrop; ++v)
    {
        cells.push_back({2, static_cast<std::uint32_t>(2 + v), data.small_crop_size});
    }
    const auto zoom = std::max<std::int64_t>(1, visible_side / data.crop_size);
    std::int64_t row_height = 0;
    std::int64_t width = gap;
    for (const auto& cell : cells)
    {
        row_height = std::max(row_height, cell.side * zoom + gap);
        width += cell.side * zoom + gap;
    }

    const auto rows = drawn_rows(dataset, config.meta.seed, images);
    Canvas canvas(gap + row_height * static_cast<std::int64_t>(rows.size()), width);
    data::ViewMaker maker(dataset.train, data.skip_broken, data.reduced_decoding);
    std::set<std::string> corrupt;
    for (std::size_t n = 0; n < rows.size(); ++n)
    {
        std::vector<std::vector<float>> views;
        std::vector<float*> begins;
        std::vector<data::ViewKind> kind_of_cell;
        data::ImageOrder order;
        order.row = rows[n];
        for (const auto& cell : cells)
        {
            order.views.push_back({views.size(), cell.number, 0});
            views.emplace_back(static_cast<std::size_t>(cell.side * cell.side * 3));
            begins.push_back(views.back().data());
            kind_of_cell.push_back(kinds[cell.kind]);
        }
        const auto stored = dataset.train.in_memory() ? nullptr : dataset.train.stored->read({&order.row, 1}).front();
        maker.make(order, kind_of_cell, begins, stored, corrupt);
        auto left = gap;
        for (std::size_t c = 0; c < cells.size(); ++c)
        {
            canvas.draw(views[c].data(), cells[c].side, zoom, gap + static_cast<std::int64_t>(n) * row_height, left);
            left += cells[c].side * zoom + gap;
        }
    }
    canvas.write(output);
    for (const auto& message : corrupt)
    {
        fmt::print("note: {}; another of its class was taken\n", io::printable(message));
    }
    fmt::print("{}: {} of {}, each with {}\n", io::printable(output.string()), io::plural(rows.size(), "image"),
               io::printable(dataset.source), io::plural(cells.size() - 1, "view"));
    return {{"task", "views"}, {"pictures", rows.size()}, {"views", cells.size() - 1}, {"files", {output.string()}}};
}
}  // namespace paws::commands
