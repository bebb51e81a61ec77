#include "src/tasks/data_commands.hpp"

#include <fmt/format.h>

#include <chrono>
#include <stdexcept>

#include "io/dataset_file.hpp"
#include "io/inspect.hpp"
#include "io/pack.hpp"
#include "io/subset_file.hpp"
#include "src/config/config.hpp"

namespace paws::tasks
{
namespace
{
io::DatasetContent read_input(const PackRequest& request)
{
    if (request.format == "cifar10")
    {
        return io::read_cifar10_folder(request.input);
    }
    if (request.format == "idx")
    {
        return io::read_idx_folder(request.input, request.class_names == "fashion-mnist"
                                                      ? io::fashion_mnist_class_names()
                                                      : io::digit_class_names());
    }
    throw config::Error(fmt::format("--format: unknown format '{}'; known are cifar10 and idx", request.format));
}
}  // namespace

Summary pack(const PackRequest& request)
{
    const auto start = std::chrono::steady_clock::now();
    const auto content = read_input(request);
    io::write_dataset(request.output, content);
    std::size_t pictures = 0;
    for (const auto& [split, set] : content.splits)
    {
        fmt::print("{}: {} pictures of {}×{}\n", split, set.count(), set.height, set.width);
        pictures += set.count();
    }
    fmt::print("{}: {} pictures of {} classes\n", request.output.string(), pictures, content.class_names.size());
    return {{"task", "pack"},
            {"pictures", pictures},
            {"classes", content.class_names.size()},
            {"files", {request.output.string()}},
            {"seconds", std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count()}};
}

Summary subset(const SubsetRequest& request)
{
    if (request.per_class.has_value() == request.fraction.has_value())
    {
        throw config::Error("subset: give either --per-class N or --fraction F");
    }
    if (request.per_class && *request.per_class < 1)
    {
        throw config::Error(
            fmt::format("--per-class: {} is no number of pictures; give 1 or more", *request.per_class));
    }
    const io::DatasetFile file(request.data);
    const auto& labels = file.labels(request.split);
    const auto classes = file.class_names().size();
    const auto rows =
        request.per_class
            ? io::draw_subset_per_class(labels, classes, static_cast<std::size_t>(*request.per_class), request.seed)
            : io::draw_subset_fraction(labels, classes, *request.fraction, request.seed);
    io::write_subset(request.output, rows);
    fmt::print("{}: {} labelled pictures of {} classes, seed {}\n", request.output.string(), rows.size(), classes,
               request.seed);
    return {{"task", "subset"},
            {"pictures", rows.size()},
            {"classes", classes},
            {"seed", request.seed},
            {"files", {request.output.string()}}};
}

Summary inspect(const std::filesystem::path& path)
{
    const auto text = io::describe(path);
    fmt::print("{}", text);
    return {{"task", "inspect"}, {"files", {path.string()}}, {"description", text}};
}
}  // namespace paws::tasks
