#include "src/tasks/evaluation.hpp"

#include <fmt/format.h>

#include <chrono>

#include "io/embeddings_file.hpp"
#include "src/tasks/runtime.hpp"
#include "src/train/checkpoint.hpp"
#include "src/train/embedder.hpp"
#include "src/train/stored_checkpoint.hpp"

namespace paws::tasks
{
namespace
{
double seconds_since(std::chrono::steady_clock::time_point start)
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

train::PretrainedEncoder load_for_evaluation(const std::filesystem::path& checkpoint, nn::Precision precision)
{
    auto pretrained = train::load_encoder(checkpoint);
    for (const auto& notice : pretrained.config.notices)
    {
        fmt::print("note: {}\n", notice);
    }
    pretrained.encoder->to(nn::storage_type(precision));
    nn::to_channels_last(*pretrained.encoder);
    return pretrained;
}
}  // namespace

nn::Embedding embedding_of(const config::Config& config)
{
    switch (config.criterion.embedding)
    {
        case config::Embedding::backbone:
            return nn::Embedding::backbone;
        case config::Embedding::projection:
            return nn::Embedding::projection;
        case config::Embedding::prediction:
            return nn::Embedding::prediction;
    }
    return nn::Embedding::prediction;
}

loss::Accuracy snn_accuracy(nn::Encoder& encoder, const data::Dataset& dataset, const config::Config& config,
                            nn::Precision precision, comm::Communicator& communicator)
{
    const auto which = embedding_of(config);
    const auto supports =
        train::embed_together(encoder, dataset.train, dataset.labelled, config, which, precision, communicator);
    const auto all = dataset.validation.all_rows();
    const auto rows = train::rows_of_rank(all, communicator);
    const auto right = torch::zeros({2}, torch::kFloat64);
    if (!rows.empty())
    {
        const auto queries = train::embed(encoder, dataset.validation, rows, config, which, precision);
        const auto probabilities = loss::snn_probabilities(queries, supports, dataset.labelled_targets(),
                                                           dataset.classes(), config.criterion.snn_temperature);
        std::vector<std::int64_t> labels;
        for (const auto row : rows)
        {
            labels.push_back(dataset.validation.labels[static_cast<std::size_t>(row)]);
        }
        const auto mine = loss::accuracy(probabilities, labels);
        right[0] = mine.top1 * static_cast<double>(rows.size());
        right[1] = mine.top5 * static_cast<double>(rows.size());
    }
    communicator.all_reduce(right);
    const auto count = static_cast<double>(all.size());
    return {right[0].item<double>() / count, right[1].item<double>() / count};
}

config::Config config_of_checkpoint(const std::filesystem::path& checkpoint)
{
    return train::config_of(train::read_stored_checkpoint(checkpoint));
}

Summary snn_eval(const std::filesystem::path& checkpoint, const config::Config& config)
{
    const auto start = std::chrono::steady_clock::now();
    const auto precision = choose_precision(config.meta);
    const auto pretrained = load_for_evaluation(checkpoint, precision);
    // Other labels than the run's will do: no batch of supports is drawn from them.
    auto wanted = config;
    wanted.task = config::Task::snn_eval;
    const auto dataset = data::load_dataset(wanted, data::Splits::train_and_validation);
    const auto accuracy = snn_accuracy(*pretrained.encoder, dataset, config, precision, *comm::make_single_rank());
    fmt::print(
        "{}: epoch {}, {} pictures of '{}' against {} labelled ones, temperature {}: top-1 {:.2f} %, top-5 {:.2f} %\n",
        checkpoint.string(), pretrained.epochs_done, dataset.validation.count(), config.data.validation_split,
        dataset.labelled.size(), config.criterion.snn_temperature, 100 * accuracy.top1, 100 * accuracy.top5);
    return {{"task", "snn_eval"},
            {"checkpoint", checkpoint.string()},
            {"epochs", pretrained.epochs_done},
            {"pictures", dataset.validation.count()},
            {"labelled", dataset.labelled.size()},
            {"top1", accuracy.top1},
            {"top5", accuracy.top5},
            {"seconds", seconds_since(start)}};
}

Summary embed(const std::filesystem::path& checkpoint, const config::Config& config, const std::string& split,
              const std::filesystem::path& output)
{
    const auto start = std::chrono::steady_clock::now();
    const auto precision = choose_precision(config.meta);
    const auto pretrained = load_for_evaluation(checkpoint, precision);
    auto wanted = config;
    wanted.task = config::Task::embed;
    wanted.data.train_split = split;
    wanted.data.subset.reset();
    wanted.data.subset_path.reset();
    wanted.data.unlabeled_frac = 0;
    wanted.data.unlabelled_count = 0;
    // A row of embeddings belongs to the picture of that name and to no other.
    wanted.data.skip_broken = false;
    const auto dataset = data::load_dataset(wanted, data::Splits::train);
    const auto rows = dataset.train.all_rows();
    const auto embeddings =
        train::embed(*pretrained.encoder, dataset.train, rows, wanted, embedding_of(config), precision);

    io::Embeddings content;
    const auto* const values = embeddings.data_ptr<float>();
    content.values.assign(values, values + embeddings.numel());
    content.dimensions = static_cast<std::size_t>(embeddings.size(1));
    content.labels = dataset.train.labels;
    content.index = rows;
    content.names = dataset.train.names;
    content.checkpoint = checkpoint.string();
    content.split = split;
    content.config = config.to_yaml();
    content.temperature = config.criterion.snn_temperature;
    io::write_embeddings(output, content);
    const auto seconds = seconds_since(start);
    fmt::print("{}: {} embeddings of {} dimensions from '{}' of {}, epoch {}\n", output.string(), rows.size(),
               content.dimensions, split, dataset.source, pretrained.epochs_done);
    return {{"task", "embed"},
            {"checkpoint", checkpoint.string()},
            {"epochs", pretrained.epochs_done},
            {"pictures", rows.size()},
            {"dimensions", content.dimensions},
            {"pictures_per_second", static_cast<double>(rows.size()) / seconds},
            {"files", {output.string()}},
            {"seconds", seconds}};
}
}  // namespace paws::tasks
