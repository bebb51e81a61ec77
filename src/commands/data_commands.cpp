#include "src/commands/data_commands.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>

#include "io/base/live_line.hpp"
#include "io/base/printable.hpp"
#include "io/base/quantity.hpp"
#include "io/base/seconds.hpp"
#include "io/dataset/dataset_file.hpp"
#include "io/dataset/pack.hpp"
#include "io/dataset/pack_folder.hpp"
#include "io/dataset/subset_file.hpp"
#include "io/files/text_output.hpp"
#include "io/results/inspect.hpp"
#include "src/config/config.hpp"
#include "src/data/packed_file.hpp"
#include "src/logging/work_progress.hpp"

namespace paws::commands
{
namespace
{
void require_known_format(const PackRequest& request)
{
    if (request.format != "cifar10" && request.format != "idx" && request.format != "imagefolder")
    {
        throw config::Error(
            fmt::format("--format: unknown format '{}'; known are cifar10, idx and imagefolder", request.format));
    }
}

/// Throws for options that only another format has: nobody should believe that they did something.
void require_fitting_options(const PackRequest& request)
{
    const auto require = [&](bool given, const char* option, const char* format)
    {
        if (given && request.format != format)
        {
            throw config::Error(fmt::format("{}: is for --format {}; leave it out", option, format));
        }
    };
    require(!request.class_names.empty(), "--class-names", "idx");
    require(request.shorter_side.has_value(), "--shorter-side", "imagefolder");
    require(request.val_list.has_value(), "--val-list", "imagefolder");
    require(request.skip_broken, "--skip-broken", "imagefolder");
    if (request.shorter_side && *request.shorter_side < 1)
    {
        throw config::Error(
            fmt::format("--shorter-side: {} is not a number of pixels; give 1 or more", *request.shorter_side));
    }
}

std::size_t pack_content(const PackRequest& request, Summary& summary)
{
    const auto content = request.format == "cifar10"
                             ? io::read_cifar10_folder(request.input)
                             : io::read_idx_folder(request.input, request.class_names == "fashion-mnist"
                                                                      ? io::fashion_mnist_class_names()
                                                                      : io::digit_class_names());
    io::write_dataset(request.output, content);
    std::size_t images = 0;
    for (const auto& [split, set] : content.splits)
    {
        fmt::print("{}: {} of {}×{}\n", split, io::plural(set.count(), "image"), set.height, set.width);
        images += set.count();
    }
    summary["classes"] = content.class_names.size();
    return images;
}

std::size_t pack_folder(const PackRequest& request, const ranks::Group& ranks, Summary& summary)
{
    io::FolderPackRequest folder{request.input, request.output, {}, request.val_list, request.skip_broken};
    if (request.shorter_side)
    {
        folder.shorter_side = static_cast<std::size_t>(*request.shorter_side);
    }
    io::FolderPackReport report;
    {
        io::LiveLine line(STDOUT_FILENO);
        report = io::pack_image_folder(
            folder, ranks,
            [&](const io::FolderPackStatus& status)
            {
                const auto text = [&] { return logging::format_work(data::packing_done(status)); };
                status.images == status.total_images ? line.finish(text()) : line.update(text);
            });
    }
    std::size_t images = 0;
    for (const auto& split : report.splits)
    {
        if (ranks.is_first())
        {
            fmt::print("{}: {}, {}\n", split.name, io::plural(split.images, "image"), io::size_in_words(split.bytes));
        }
        images += split.images;
        summary["bytes"][split.name] = split.bytes;
    }
    for (const auto& skipped : report.skipped)
    {
        if (ranks.is_first())
        {
            fmt::print("left out {}\n", skipped);
        }
    }
    summary["skipped"] = report.skipped;
    summary["classes"] = report.classes;
    return images;
}
/// Names the first class that has too few: whoever draws knows it by a number.
void require_as_many(const SubsetRequest& request, const std::vector<std::int64_t>& labels,
                     const std::vector<std::string>& class_names)
{
    std::vector<std::int64_t> counts(class_names.size(), 0);
    for (const auto label : labels)
    {
        ++counts[static_cast<std::size_t>(label)];
    }
    const auto least = request.per_class.value_or(1);
    const auto too_few = std::find_if(counts.begin(), counts.end(), [&](std::int64_t count) { return count < least; });
    if (too_few != counts.end())
    {
        throw config::Error(fmt::format(
            "{}: class '{}' has {} in split '{}', fewer than the {} to draw; {}", request.data.string(),
            class_names[static_cast<std::size_t>(too_few - counts.begin())], io::plural(*too_few, "image"),
            request.split, least,
            *too_few == 0 ? "draw from another split, or pack the data without the class" : "draw fewer per class"));
    }
}
}  // namespace

Summary pack(const PackRequest& request, const ranks::Group& ranks)
{
    const auto start = std::chrono::steady_clock::now();
    require_known_format(request);
    require_fitting_options(request);
    if (!ranks.is_alone() && request.format != "imagefolder")
    {
        throw config::Error(fmt::format("--format {} is packed by one rank, and there are {}; start one (srun -n 1)",
                                        request.format, ranks.size()));
    }
    Summary summary = {{"task", "pack"}, {"files", {request.output.string()}}, {"ranks", ranks.size()}};
    const auto images =
        request.format == "imagefolder" ? pack_folder(request, ranks, summary) : pack_content(request, summary);
    const auto seconds = io::seconds_since(start);
    if (ranks.is_first())
    {
        fmt::print("{}: {} of {}\n", io::printable(request.output.string()), io::plural(images, "image"),
                   io::plural(summary["classes"].get<std::size_t>(), "class", "es"));
    }
    summary["pictures"] = images;
    summary["seconds"] = seconds;
    summary["pictures_per_second"] = static_cast<double>(images) / seconds;
    return summary;
}

Summary subset(const SubsetRequest& request)
{
    if (request.per_class && request.fraction)
    {
        throw config::Error("subset: give either --per-class N or --fraction F, not both");
    }
    if (!request.per_class && !request.fraction)
    {
        throw config::Error("subset: how many images to draw is not said; give --per-class N or --fraction F");
    }
    if (request.per_class && *request.per_class < 1)
    {
        throw config::Error(
            fmt::format("--per-class: {} is not a number of images; give 1 or more", *request.per_class));
    }
    if (request.fraction && !(*request.fraction > 0 && *request.fraction <= 1))
    {
        throw config::Error(fmt::format("--fraction: {} is not a share of the images; give more than 0 and at most 1",
                                        *request.fraction));
    }
    io::TextOutput output(request.output);
    const io::DatasetFile file(request.data);
    const auto& labels = file.labels(request.split);
    const auto classes = file.class_names().size();
    require_as_many(request, labels, file.class_names());
    const auto rows =
        request.per_class
            ? io::draw_subset_per_class(labels, classes, static_cast<std::size_t>(*request.per_class), request.seed)
            : io::draw_subset_fraction(labels, classes, *request.fraction, request.seed);
    output.write({io::subset_text(rows)});
    fmt::print("{}: {} of {}, seed {}\n", io::printable(request.output.string()),
               io::plural(rows.size(), "labelled image"), io::plural(classes, "class", "es"), request.seed);
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
}  // namespace paws::commands
