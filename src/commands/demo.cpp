#include "src/commands/demo.hpp"

#include <fmt/format.h>

#include <chrono>
#include <optional>

#include "io/base/error.hpp"
#include "io/base/printable.hpp"
#include "io/base/quantity.hpp"
#include "io/base/say.hpp"
#include "io/base/seconds.hpp"
#include "io/files/input_path.hpp"
#include "src/checkpoint/run_files.hpp"
#include "src/commands/config_files.hpp"
#include "src/commands/data_commands.hpp"
#include "src/commands/demo_tier.hpp"
#include "src/commands/embed.hpp"
#include "src/commands/evaluation.hpp"
#include "src/commands/shipped_configs.hpp"
#include "src/commands/training_speed.hpp"
#include "src/logging/progress_line.hpp"
#include "src/session/choose_precision.hpp"

namespace paws::commands
{
namespace
{
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

/// Relative to the working folder, or else to the folder that the program's own configurations lie in.
std::string list_of_labels(const std::string& path)
{
    const auto shipped = shipped_configs_folder().parent_path() / path;
    return !io::is_there(path) && io::is_there(shipped) ? shipped.string() : path;
}

config::Config settings_of(const config::Config& config, const DemoRequest& request)
{
    auto settings = config;
    if (config.data.subset)
    {
        settings.data.subset = list_of_labels(*config.data.subset);
    }
    settings.data.file = (request.folder / "fashion_mnist.h5").string();
    settings.logging.folder = (request.folder / "run").string();
    return settings;
}

fs::path labels_only_checkpoint(const DemoRequest& request)
{
    return request.folder / "labels_only.h5";
}

fs::path embeddings(const DemoRequest& request)
{
    return request.folder / "test_embeddings.h5";
}

void print_row(const char* method, const loss::Accuracy& accuracy, double seconds)
{
    fmt::print("  {:<44} {:>7.2f} % {:>7.2f} %   {}\n", method, 100 * accuracy.top1, 100 * accuracy.top5,
               logging::format_duration(seconds));
}

/// "3 epochs of 60000 images".
std::string size_of(std::int64_t epochs, std::int64_t images)
{
    return io::plural(epochs, "epoch") + " of " + io::plural(images, "image");
}

/// Gives `settings` the size that the training is to have, `dataset` its images, and says why.
void choose_size(config::Config& settings, data::Dataset& dataset, const DemoRequest& request,
                 device::Precision precision, const comm::World& world, Summary& summary)
{
    const auto say = [](const std::string& text) { io::say(fmt::format("     size: {}\n", text)); };
    const auto images = [&] { return static_cast<std::int64_t>(dataset.unlabelled.size()); };
    if (request.keeps_size || has_own_size(settings))
    {
        say(fmt::format("{}, as optimization.epochs and data.unlabelled_count say{}; without them it is a tier's",
                        size_of(settings.optimization.epochs, images()),
                        request.tier.empty() ? "" : " (--tier " + request.tier + " is left out)"));
        return;
    }
    std::optional<double> speed;
    if (request.tier.empty())
    {
        speed = training_speed(settings, dataset, precision, world);
        summary["speed_measured"] = *speed;
    }
    const auto& tier = speed ? tier_for(*speed) : tier_named(request.tier);
    summary["tier"] = tier.name;
    settings = with_tier(settings, tier, dataset.train.count());
    if (settings.data.unlabelled_count != 0)
    {
        dataset = data::load_dataset(settings, data::Splits::train_and_validation);
    }
    const auto size = size_of(tier.epochs, images());
    say(speed
            ? fmt::format("tier '{}', {}: {:.0f} images/s in the first steps make that {}; --tier NAME takes another "
                          "({})",
                          tier.name, size, *speed,
                          logging::format_duration(static_cast<double>(tier.epochs * images()) / *speed), tier_names())
            : fmt::format("tier '{}', {}, as --tier says", tier.name, size));
}
}  // namespace

void add_demo_files(const config::Config& config, const DemoRequest& request, io::CommandFiles& files)
{
    auto settings = settings_of(config, request);
    const char* const option = "--folder";
    files.made_folders.push_back(request.folder);
    files.outputs.push_back({option, labels_only_checkpoint(request), io::hdf5_output(io::checkpoint_format)});
    files.outputs.push_back({option, embeddings(request), io::hdf5_output(io::embeddings_format)});
    if (!fs::exists(*settings.data.file))
    {
        files.outputs.push_back({option, *settings.data.file, io::hdf5_output(io::dataset_format)});
        settings.data.file.reset();
    }
    add_config_files(settings, 0, files);
}

Summary demo(const config::Config& config, const DemoRequest& request, const comm::World& world)
{
    const auto start = Clock::now();
    if (!request.tier.empty())
    {
        tier_named(request.tier);  // an unknown one is refused before anything is done
    }
    auto settings = settings_of(config, request);
    const bool packs = !io::is_there(*settings.data.file);
    if (packs && !io::is_folder(request.images))
    {
        throw io::Error(
            fmt::format("--images: {} is not a folder; name the one with the IDX files of Fashion-MNIST "
                        "(Debian: dataset-fashion-mnist)",
                        request.images.string()));
    }
    std::error_code error;
    fs::create_directories(request.folder, error);
    if (error)
    {
        throw io::Error(fmt::format("{}: the folder cannot be made ({}); choose another with --folder",
                                    request.folder.string(), error.message()));
    }
    if (packs)
    {
        PackRequest packing;
        packing.format = "idx";
        packing.input = request.images;
        packing.output = *settings.data.file;
        packing.class_names = "fashion-mnist";
        pack(packing, ranks::Group());
    }
    auto dataset = data::load_dataset(settings, data::Splits::train_and_validation);
    const auto precision = session::choose_precision(settings.meta, world.device);

    io::say(fmt::format("\n1/3  soft nearest neighbours on raw pixels, {} labels\n", dataset.labelled.size()));
    auto clock = Clock::now();
    const auto pixels = pixel_neighbours(dataset);
    const double pixel_seconds = io::seconds_since(clock);

    io::say(fmt::format("2/3  {} trained on the {} labels alone\n", settings.meta.model_name, dataset.labelled.size()));
    clock = Clock::now();
    const auto supervised =
        labels_only(dataset, settings, precision, request.labels_only, labels_only_checkpoint(request), world.device);
    const double supervised_seconds = io::seconds_since(clock);

    io::say("3/3  PAWS, started from that network: the same labels, and images without\n");
    settings.meta.init_backbone = labels_only_checkpoint(request).string();
    auto size = Summary::object();
    choose_size(settings, dataset, request, precision, world, size);
    clock = Clock::now();
    TrainOptions options;
    options.resume = "never";
    auto summary = run_training(settings, dataset, options, world);
    summary.update(size);
    if (commands::has_stopped(summary))
    {
        io::say(fmt::format("The demo itself would begin anew; this training is resumed by: paws_hpc {}\n",
                            io::printable(checkpoint::RunFiles(settings).parameters().string())));
        return summary;
    }
    const double paws_seconds = io::seconds_since(clock);
    const auto checkpoint = fs::path(settings.logging.folder) / (settings.logging.write_tag + "-latest.h5");
    const auto pretrained = load_pretrained(checkpoint, *world.communicator);
    const auto evaluation = snn_eval(pretrained, settings, world);
    const loss::Accuracy paws{evaluation["top1"], evaluation["top5"]};
    embed(pretrained, settings, embeddings(request), world);

    fmt::print("\n{} test images, {} labels                  top-1     top-5   time\n", dataset.validation.count(),
               dataset.labelled.size());
    print_row("nearest neighbours on raw pixels", pixels, pixel_seconds);
    print_row("the network trained on the labels alone", supervised, supervised_seconds);
    print_row("PAWS, started from the network above", paws, paws_seconds);

    summary["task"] = "demo";
    summary["top1"] = paws.top1;
    summary["top5"] = paws.top5;
    summary["top1_paws"] = paws.top1;
    summary["top5_paws"] = paws.top5;
    summary["top1_pixels"] = pixels.top1;
    summary["top5_pixels"] = pixels.top5;
    summary["top1_supervised"] = supervised.top1;
    summary["top5_supervised"] = supervised.top5;
    summary["training_seconds"] = paws_seconds;
    summary["seconds"] = io::seconds_since(start);
    summary["files"].push_back(embeddings(request).string());
    return summary;
}
}  // namespace paws::commands
