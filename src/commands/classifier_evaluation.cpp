#include "src/commands/classifier_evaluation.hpp"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>

#include "io/base/error.hpp"
#include "io/base/printable.hpp"
#include "io/base/quantity.hpp"
#include "io/base/seconds.hpp"
#include "io/files/input_path.hpp"
#include "io/ranks/agreed.hpp"
#include "src/checkpoint/checkpoint.hpp"
#include "src/checkpoint/run_files.hpp"
#include "src/commands/evaluation.hpp"
#include "src/commands/evaluation_progress.hpp"
#include "src/session/choose_precision.hpp"
#include "src/session/same_input.hpp"
#include "src/train/embedder.hpp"

namespace paws::commands
{
namespace
{
namespace fs = std::filesystem;

fs::path checkpoint_to_evaluate(const config::Config& config, const std::string& named)
{
    const auto path = named == "auto" ? classifier_checkpoint(config) : fs::path(named);
    if (named != "auto" || io::is_there(path))
    {
        return path;
    }
    throw io::Error(
        fmt::format("{}: there is no checkpoint of fine_tune to evaluate; run it with meta.training: true "
                    "first, set logging.folder and logging.write_tag as it had them, or name the "
                    "checkpoint with --resume",
                    path.string()));
}

checkpoint::PretrainedEncoder load_classifier(const fs::path& path, const data::Dataset& dataset,
                                              device::Precision precision, const torch::Device& device)
{
    auto trained = checkpoint::load_encoder(path);
    if (trained.config.task != config::Task::fine_tune)
    {
        throw io::Error(fmt::format("{}: it is a checkpoint of {}, which has no classifier; name one of fine_tune",
                                    trained.path.string(), to_string(trained.config.task)));
    }
    if (trained.config.data.num_classes != dataset.classes())
    {
        throw io::Error(fmt::format("{}: its classifier has {}, but {} has {}", trained.path.string(),
                                    io::plural(trained.config.data.num_classes, "class", "es"), dataset.source,
                                    dataset.classes()));
    }
    if (const auto difference = data::class_difference(trained.data, dataset.class_names); !difference.empty())
    {
        throw io::Error(
            fmt::format("{}: its classifier has other classes than {} ({}); evaluate it on data of the classes "
                        "that it was trained on",
                        trained.path.string(), dataset.source, difference));
    }
    prepare_for_evaluation(*trained.encoder, precision, device);
    return trained;
}
}  // namespace

loss::Accuracy classifier_accuracy(nn::Encoder& encoder, const data::Images& images,
                                   const std::vector<std::int64_t>& rows, const config::Config& config,
                                   device::Precision precision, comm::Communicator& communicator,
                                   NotFiniteScores not_finite, const train::EmbedProgress& progress)
{
    if (rows.empty())
    {
        throw std::invalid_argument("there are no images to evaluate the classifier on");
    }
    return accuracy_together(
        images, rows, communicator,
        [&](const std::vector<std::int64_t>& mine)
        { return train::embed(encoder, images, mine, config, nn::Embedding::projection, precision, progress); },
        not_finite);
}

loss::Accuracy held_out_accuracy(nn::Encoder& encoder, const data::Dataset& dataset, const config::Config& config,
                                 device::Precision precision, comm::Communicator& communicator,
                                 NotFiniteScores not_finite)
{
    return dataset.held_out.empty() ? classifier_accuracy(encoder, dataset.validation, dataset.validation.all_rows(),
                                                          config, precision, communicator, not_finite)
                                    : classifier_accuracy(encoder, dataset.train, dataset.held_out, config, precision,
                                                          communicator, not_finite);
}

fs::path classifier_checkpoint(const config::Config& config)
{
    const checkpoint::RunFiles files(config);
    for (const auto& path : {files.best(), files.latest(), files.published()})
    {
        if (io::is_there(path))
        {
            return path;
        }
    }
    return files.best();
}

Summary evaluate_classifier(const config::Config& config, const std::string& checkpoint, const comm::World& world)
{
    const auto start = std::chrono::steady_clock::now();
    auto& communicator = *world.communicator;
    const auto precision =
        agreed(communicator.group(), [&] { return session::choose_precision(config.meta, world.device); });
    const auto path = agreed(communicator.group(), [&] { return checkpoint_to_evaluate(config, checkpoint); });
    const auto dataset = agreed(communicator.group(),
                                [&] { return data::load_dataset(config, data::Splits::train_and_validation, world); });
    const auto trained =
        agreed(communicator.group(), [&] { return load_classifier(path, dataset, precision, world.device); });
    session::require_same_file(communicator.group(), trained.path);
    trained.encoder->use_convolution(config.meta.convolution);
    const auto accuracy = classifier_accuracy(*trained.encoder, dataset.validation, dataset.validation.all_rows(),
                                              config, precision, communicator, NotFiniteScores::refuse,
                                              evaluation_progress(dataset.validation.count(), world));
    Summary summary{{"task", "fine_tune"},
                    {"training", false},
                    {"checkpoint", trained.path.string()},
                    {"epochs", trained.epochs_done},
                    {"pictures", dataset.validation.count()},
                    {"top1", accuracy.top1},
                    {"top5", accuracy.top5}};
    auto text =
        fmt::format("{}: epoch {}, {} of '{}': top-1 {:.2f} %, top-5 {:.2f} %\n", io::printable(trained.path.string()),
                    trained.epochs_done, io::plural(dataset.validation.count(), "image"),
                    io::printable(config.data.validation_split), 100 * accuracy.top1, 100 * accuracy.top5);
    if (!dataset.held_out.empty())
    {
        const auto held_out =
            held_out_accuracy(*trained.encoder, dataset, config, precision, communicator, NotFiniteScores::refuse);
        summary["held_out_top1"] = held_out.top1;
        text += fmt::format("{} of '{}': top-1 {:.2f} %\n", io::plural(dataset.held_out.size(), "held-out image"),
                            io::printable(config.data.train_split), 100 * held_out.top1);
    }
    if (world.is_first())
    {
        fmt::print("{}", text);
    }
    summary["seconds"] = io::seconds_since(start);
    return summary;
}
}  // namespace paws::commands
