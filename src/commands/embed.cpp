#include "src/commands/embed.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "io/base/live_line.hpp"
#include "io/base/printable.hpp"
#include "io/base/quantity.hpp"
#include "io/base/seconds.hpp"
#include "io/ranks/agreed.hpp"
#include "io/results/embeddings_writer.hpp"
#include "src/commands/embedding_batches.hpp"
#include "src/commands/known_classes.hpp"
#include "src/logging/work_progress.hpp"
#include "src/session/choose_precision.hpp"
#include "src/train/embedder.hpp"

namespace paws::commands
{
namespace
{
using Clock = std::chrono::steady_clock;

/// The images to embed, and the labelled ones where they are needed.
struct Input
{
    data::Dataset dataset;
    bool in_training_split = true;

    const data::Images& images() const { return in_training_split ? dataset.train : dataset.validation; }
};

Input load_input(const config::Config& config, const std::string& split, const comm::World& world)
{
    auto wanted = config;
    wanted.task = config::Task::embed;
    wanted.data.unlabelled_count = 0;
    // A row of embeddings belongs to the image of that name and to no other.
    wanted.data.skip_broken = false;
    Input input;
    if (config.embed.probabilities)
    {
        input.in_training_split = split == config.data.train_split;
        wanted.data.validation_split = split;
    }
    else
    {
        wanted.data.train_split = split;
        wanted.data.subset.reset();
        wanted.data.subset_path.reset();
        wanted.data.unlabeled_frac = 0;
    }
    input.dataset = data::load_dataset(
        wanted, input.in_training_split ? data::Splits::train : data::Splits::train_and_validation, world);
    return input;
}

std::optional<loss::SnnClassifier> make_classifier(nn::Encoder& encoder, const data::Dataset& dataset,
                                                   const config::Config& config, device::Precision precision,
                                                   comm::Communicator& communicator)
{
    if (!config.embed.probabilities)
    {
        return std::nullopt;
    }
    const auto supports = train::embed_together(encoder, dataset.train, dataset.labelled, config,
                                                config.criterion.embedding, precision, communicator);
    return agreed(communicator.group(),
                  [&]
                  {
                      return loss::SnnClassifier(supports.to(device_of(encoder)), dataset.labelled_targets(),
                                                 dataset.classes(), config.criterion.snn_temperature);
                  });
}

io::EmbeddingsSource source_of(const Pretrained& pretrained, const config::Config& config, const std::string& split,
                               const data::Images& images)
{
    io::EmbeddingsSource source;
    source.labels = images.labels;
    source.index = images.all_rows();
    source.names = images.names;
    source.checkpoint = io::printable(pretrained.checkpoint.string());
    source.epoch = pretrained.network.epochs_done;
    source.checkpoint_config = pretrained.network.config.to_yaml();
    source.split = split;
    source.config = config.to_yaml();
    source.temperature = config.criterion.snn_temperature;
    return source;
}

io::EmbeddingsLayout layout_of(nn::Encoder& encoder, const config::Config& config, std::int64_t classes,
                               device::Precision precision)
{
    io::EmbeddingsLayout layout;
    const auto outputs = embedded_outputs(config);
    const auto widths = train::output_widths(encoder, config, outputs, precision);
    for (std::size_t i = 0; i < outputs.size(); ++i)
    {
        layout.outputs.push_back({to_string(outputs[i]), static_cast<std::size_t>(widths[i])});
    }
    layout.classes = config.embed.probabilities ? static_cast<std::size_t>(classes) : 0;
    layout.half = config.embed.half;
    layout.compression = static_cast<int>(config.embed.compression);
    layout.chunk_rows = static_cast<std::size_t>(config.embed.chunk_rows);
    return layout;
}

/// All ranks, batch by batch: as many calls on each as the rank with the most images needs.
void write_all(io::EmbeddingsWriter& writer, EmbeddingBatches& batches, std::size_t batch_size, std::size_t images,
               const comm::World& world)
{
    const auto start = Clock::now();
    const auto rows_after = [&](int rank, std::size_t rounds)
    { return std::min(writer.rows_of(rank).count, rounds * batch_size); };
    io::LiveLine line(STDOUT_FILENO);
    std::size_t done = 0;
    for (std::size_t round = 1; done < images; ++round)
    {
        const auto batch = agreed(world.group(), [&] { return batches.next(); });
        agreed(world.group(), [&] { writer.write(batch.block()); });
        done = 0;
        for (int rank = 0; rank < world.world_size(); ++rank)
        {
            done += rows_after(rank, round);
        }
        if (world.is_first())
        {
            line.update(
                [&]
                {
                    logging::WorkDone work;
                    work.verb = "embedded";
                    work.items = done;
                    work.all_items = images;
                    work.seconds = io::seconds_since(start);
                    return logging::format_work(work);
                });
        }
    }
    agreed(world.group(), [&] { writer.finish(); });
}
}  // namespace

std::filesystem::path embeddings_path(const config::Config& config)
{
    return config.logging.path_of(config.embed.file.value_or(config.logging.write_tag + "-embeddings.h5"));
}

Summary embed(const Pretrained& pretrained, const config::Config& config, const std::filesystem::path& output,
              const comm::World& world)
{
    const auto start = Clock::now();
    auto& communicator = *world.communicator;
    auto& encoder = *pretrained.network.encoder;
    const auto precision =
        agreed(communicator.group(), [&] { return session::choose_precision(config.meta, world.device); });
    encoder.use_convolution(config.meta.convolution);
    prepare_for_evaluation(encoder, precision, world.device);
    const auto split = config.embed.split.value_or(config.data.validation_split);
    const auto input = agreed(communicator.group(), [&] { return load_input(config, split, world); });
    const auto& images = input.images();
    require_known_classes(pretrained, config, input.dataset, world);
    const auto classifier = make_classifier(encoder, input.dataset, config, precision, communicator);
    const auto layout =
        agreed(communicator.group(), [&] { return layout_of(encoder, config, input.dataset.classes(), precision); });
    const auto make_writer = [&]
    {
        return std::make_unique<io::EmbeddingsWriter>(output, source_of(pretrained, config, split, images), layout,
                                                      world.group());
    };
    const auto writer = agreed(communicator.group(), make_writer);
    const auto mine = writer->rows_of(world.rank());
    EmbeddingBatches batches(encoder, images, static_cast<std::int64_t>(mine.first),
                             static_cast<std::int64_t>(mine.count), config, classifier ? &*classifier : nullptr,
                             precision);
    write_all(*writer, batches, static_cast<std::size_t>(config.data.evaluation_batch_size),
              static_cast<std::size_t>(images.count()), world);

    std::vector<std::string> described, names;
    for (const auto& [name, dimensions] : layout.outputs)
    {
        described.push_back(fmt::format("{} ({})", name, io::plural(dimensions, "dimension")));
        names.push_back(name);
    }
    const auto seconds = io::seconds_since(start);
    Summary summary{{"task", "embed"},
                    {"checkpoint", pretrained.checkpoint.string()},
                    {"epochs", pretrained.network.epochs_done},
                    {"pictures", images.count()},
                    {"outputs", names},
                    {"dimensions", layout.outputs.front().dimensions},
                    {"pictures_per_second", static_cast<double>(images.count()) / seconds},
                    {"files", {output.string()}},
                    {"ranks", world.world_size()},
                    {"seconds", seconds}};
    std::string accuracy;
    if (classifier)
    {
        const auto right = batches.right() / static_cast<double>(images.count());
        communicator.all_reduce(right);
        summary["labelled"] = input.dataset.labelled.size();
        summary["top1"] = right[0].item<double>();
        summary["top5"] = right[1].item<double>();
        accuracy =
            fmt::format("; against {}, temperature {}: top-1 {:.2f} %, top-5 {:.2f} %",
                        io::plural(input.dataset.labelled.size(), "labelled one"), config.criterion.snn_temperature,
                        100 * right[0].item<double>(), 100 * right[1].item<double>());
    }
    if (world.is_first())
    {
        fmt::print("{}: {} of '{}' of {}, epoch {}, {} as float{}{}\n", io::printable(output.string()),
                   io::plural(images.count(), "image"), io::printable(split), io::printable(input.dataset.source),
                   pretrained.network.epochs_done, fmt::join(described, ", "), layout.half ? 16 : 32, accuracy);
    }
    return summary;
}
}  // namespace paws::commands
