#include "src/tasks/demo.hpp"

#include <fmt/format.h>

#include <chrono>

#include "io/error.hpp"
#include "io/say.hpp"
#include "src/tasks/baselines.hpp"
#include "src/tasks/choose_precision.hpp"
#include "src/tasks/data_commands.hpp"
#include "src/tasks/embed.hpp"
#include "src/tasks/evaluation.hpp"
#include "src/train/progress_line.hpp"
#include "src/train/seconds.hpp"

namespace paws::tasks
{
namespace
{
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

void print_row(const char* method, const loss::Accuracy& accuracy, double seconds)
{
    fmt::print("  {:<44} {:>7.2f} % {:>7.2f} %   {}\n", method, 100 * accuracy.top1, 100 * accuracy.top5,
               train::format_duration(seconds));
}
}  // namespace

Summary demo(const config::Config& config, const DemoRequest& request, const comm::World& world)
{
    const auto start = Clock::now();
    auto settings = config;
    settings.data.file = (request.folder / "fashion_mnist.h5").string();
    settings.logging.folder = (request.folder / "run").string();
    std::error_code error;
    fs::create_directories(request.folder, error);
    if (error)
    {
        throw io::Error(fmt::format("{}: the folder cannot be made ({}); choose another with --folder",
                                    request.folder.string(), error.message()));
    }
    if (!fs::exists(*settings.data.file))
    {
        PackRequest packing;
        packing.format = "idx";
        packing.input = request.pictures;
        packing.output = *settings.data.file;
        packing.class_names = "fashion-mnist";
        pack(packing, MPI_COMM_SELF);
    }
    const auto dataset = data::load_dataset(settings, data::Splits::train_and_validation);
    const auto precision = choose_precision(settings.meta, world.device);

    io::say(fmt::format("\n1/3  soft nearest neighbours on raw pixels, {} labels\n", dataset.labelled.size()));
    auto clock = Clock::now();
    const auto pixels = pixel_neighbours(dataset);
    const double pixel_seconds = train::seconds_since(clock);

    io::say(fmt::format("2/3  {} trained on the {} labels alone\n", settings.meta.model_name, dataset.labelled.size()));
    clock = Clock::now();
    const auto labels_only_checkpoint = request.folder / "labels_only.h5";
    const auto supervised = labels_only(dataset, settings, precision, {}, labels_only_checkpoint, world.device);
    const double supervised_seconds = train::seconds_since(clock);

    io::say(fmt::format("3/3  PAWS, started from that network: the same labels and {} pictures without\n",
                        dataset.unlabelled.size()));
    settings.meta.init_backbone = labels_only_checkpoint.string();
    clock = Clock::now();
    TrainOptions options;
    options.resume = "never";
    auto summary = run_training(settings, dataset, options, world);
    if (has_stopped(summary))
    {
        return summary;
    }
    const double paws_seconds = train::seconds_since(clock);
    const auto checkpoint = fs::path(settings.logging.folder) / (settings.logging.write_tag + "-latest.h5");
    const auto pretrained = load_pretrained(checkpoint, *world.communicator);
    const auto evaluation = snn_eval(pretrained, settings, world);
    const loss::Accuracy paws{evaluation["top1"], evaluation["top5"]};
    const auto embeddings = request.folder / "test_embeddings.h5";
    embed(pretrained, settings, embeddings, world);

    fmt::print("\n{} test pictures, {} labels                  top-1     top-5   time\n", dataset.validation.count(),
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
    summary["seconds"] = train::seconds_since(start);
    summary["files"].push_back(embeddings.string());
    return summary;
}
}  // namespace paws::tasks
