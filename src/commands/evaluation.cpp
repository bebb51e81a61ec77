#include "src/commands/evaluation.hpp"

#include <fmt/format.h>

#include <chrono>

#include "io/base/error.hpp"
#include "io/base/printable.hpp"
#include "io/base/quantity.hpp"
#include "io/base/seconds.hpp"
#include "io/ranks/agreed.hpp"
#include "src/commands/evaluation_progress.hpp"
#include "src/commands/known_classes.hpp"
#include "src/session/choose_precision.hpp"
#include "src/session/same_input.hpp"
#include "src/train/embedder.hpp"

namespace paws::commands
{
loss::Accuracy accuracy_together(const data::Images& images, const std::vector<std::int64_t>& rows,
                                 comm::Communicator& communicator, const ScoresOfRows& scores,
                                 NotFiniteScores not_finite)
{
    const auto mine = train::rows_of_rank(rows, communicator);
    // The third: rows with scores that are not finite.
    const auto right = torch::zeros({3}, torch::kFloat64);
    if (!mine.empty())
    {
        std::vector<std::int64_t> labels;
        for (const auto row : mine)
        {
            labels.push_back(images.labels[static_cast<std::size_t>(row)]);
        }
        const auto values = scores(mine);
        const auto accuracy = loss::accuracy(values, labels);
        right[2] = torch::isfinite(values).all(1).logical_not().sum();
        right[0] = accuracy.top1 * static_cast<double>(mine.size());
        right[1] = accuracy.top5 * static_cast<double>(mine.size());
    }
    communicator.all_reduce(right);
    if (const auto bad = right[2].item<double>(); bad > 0 && not_finite == NotFiniteScores::refuse)
    {
        communicator.group().refuse(
            fmt::format("the outputs of the network for {:.0f} of {} images are NaN or infinite; compute in "
                        "meta.precision=fp32, or take another checkpoint",
                        bad, rows.size()));
    }
    const auto count = static_cast<double>(rows.size());
    return {right[0].item<double>() / count, right[1].item<double>() / count};
}

loss::Accuracy snn_accuracy(nn::Encoder& encoder, const data::Dataset& dataset, const config::Config& config,
                            device::Precision precision, comm::Communicator& communicator, NotFiniteScores not_finite,
                            const train::EmbedProgress& progress)
{
    const auto which = config.criterion.embedding;
    // The products with all supports are the work here.
    const auto supports = train::embed_together(encoder, dataset.train, dataset.labelled, config, which, precision,
                                                communicator, progress)
                              .to(device_of(encoder));
    return accuracy_together(
        dataset.validation, dataset.validation.all_rows(), communicator,
        [&](const std::vector<std::int64_t>& rows)
        {
            const auto queries = train::embed(encoder, dataset.validation, rows, config, which, precision, progress);
            return loss::snn_probabilities(queries, supports, dataset.labelled_targets(), dataset.classes(),
                                           config.criterion.snn_temperature);
        },
        not_finite);
}

Pretrained load_pretrained(const std::filesystem::path& checkpoint, comm::Communicator& communicator)
{
    auto network = agreed(communicator.group(), [&] { return checkpoint::load_encoder(checkpoint); });
    const auto path = network.path;
    session::require_same_file(communicator.group(), path);
    Pretrained pretrained{path, std::move(network)};
    for (const auto& notice : communicator.rank() == 0 ? pretrained.network.config.notices : std::vector<std::string>())
    {
        fmt::print("note: {}\n", io::printable(notice));
    }
    return pretrained;
}

void prepare_for_evaluation(nn::Encoder& encoder, device::Precision precision, const torch::Device& device)
{
    encoder.to(device::storage_type(precision));
    encoder.to(device);
    nn::to_channels_last(encoder);
}

torch::Device device_of(const nn::Encoder& encoder)
{
    return encoder.parameters().front().device();
}

Summary snn_eval(const Pretrained& pretrained, const config::Config& config, const comm::World& world)
{
    const auto start = std::chrono::steady_clock::now();
    auto& communicator = *world.communicator;
    const auto& network = pretrained.network;
    const auto precision =
        agreed(communicator.group(), [&] { return session::choose_precision(config.meta, world.device); });
    network.encoder->use_convolution(config.meta.convolution);
    prepare_for_evaluation(*network.encoder, precision, world.device);
    // Other labels than the run's will do: no batch of supports is drawn from them.
    auto wanted = config;
    wanted.task = config::Task::snn_eval;
    const auto dataset = agreed(communicator.group(),
                                [&] { return data::load_dataset(wanted, data::Splits::train_and_validation, world); });
    require_known_classes(pretrained, config, dataset, world);
    const auto images = static_cast<std::int64_t>(dataset.labelled.size()) + dataset.validation.count();
    const auto accuracy = snn_accuracy(*network.encoder, dataset, config, precision, communicator,
                                       NotFiniteScores::refuse, evaluation_progress(images, world));
    if (world.is_first())
    {
        fmt::print(
            "{}: epoch {}, {} of '{}' against {}, temperature {}: top-1 {:.2f} %, top-5 {:.2f} "
            "%\n",
            io::printable(pretrained.checkpoint.string()), network.epochs_done,
            io::plural(dataset.validation.count(), "image"), io::printable(config.data.validation_split),
            io::plural(dataset.labelled.size(), "labelled one"), config.criterion.snn_temperature, 100 * accuracy.top1,
            100 * accuracy.top5);
    }
    return {{"task", "snn_eval"},
            {"checkpoint", pretrained.checkpoint.string()},
            {"epochs", network.epochs_done},
            {"pictures", dataset.validation.count()},
            {"labelled", dataset.labelled.size()},
            {"top1", accuracy.top1},
            {"top5", accuracy.top5},
            {"ranks", world.world_size()},
            {"seconds", io::seconds_since(start)}};
}
}  // namespace paws::commands
