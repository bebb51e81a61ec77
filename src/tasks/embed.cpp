#include "src/tasks/embed.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "io/embeddings_writer.hpp"
#include "src/tasks/agreed.hpp"
#include "src/tasks/runtime.hpp"
#include "src/train/embedder.hpp"
#include "src/train/progress_line.hpp"

namespace paws::tasks
{
namespace
{
using Clock = std::chrono::steady_clock;

/// The largest number that float16 has.
constexpr double half_limit = 65504;

double seconds_since(Clock::time_point start)
{
    return std::chrono::duration<double>(Clock::now() - start).count();
}

std::vector<config::Embedding> outputs_of(const config::Config& config)
{
    return config.embed.outputs.empty() ? std::vector{config.criterion.embedding} : config.embed.outputs;
}

/// The pictures to embed, and the labelled ones where they are needed.
struct Input
{
    data::Dataset dataset;
    bool in_training_split = true;

    const data::Pictures& pictures() const { return in_training_split ? dataset.train : dataset.validation; }
};

Input load_input(const config::Config& config, const std::string& split, const comm::World& world)
{
    auto wanted = config;
    wanted.task = config::Task::embed;
    wanted.data.unlabelled_count = 0;
    // A row of embeddings belongs to the picture of that name and to no other.
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
                                                   const config::Config& config, nn::Precision precision,
                                                   comm::Communicator& communicator)
{
    if (!config.embed.probabilities)
    {
        return std::nullopt;
    }
    const auto supports = train::embed_together(encoder, dataset.train, dataset.labelled, config, embedding_of(config),
                                                precision, communicator);
    return agreed(communicator,
                  [&]
                  {
                      return loss::SnnClassifier(supports, dataset.labelled_targets(), dataset.classes(),
                                                 config.criterion.snn_temperature);
                  });
}

/// A batch as the file takes it; the tensors hold what the block points to. Of a rank that has no pictures left: empty.
struct Batch
{
    std::vector<torch::Tensor> reals;
    torch::Tensor predicted;
    std::vector<std::string> names;  // of the real columns
};

void to_half(Batch& batch, const data::Pictures& pictures, std::int64_t first_row)
{
    for (std::size_t i = 0; i < batch.reals.size(); ++i)
    {
        const auto too_large = batch.reals[i].abs().gt(half_limit).any(1);
        if (too_large.any().item<bool>())
        {
            const auto row = first_row + too_large.nonzero()[0][0].item<std::int64_t>();
            throw config::Error(
                fmt::format("embed.half: the {} of picture '{}' has a number beyond {}, which float16 does not hold; "
                            "leave embed.half (--half) out",
                            batch.names[i], pictures.names[static_cast<std::size_t>(row)], half_limit));
        }
        batch.reals[i] = batch.reals[i].to(torch::kHalf);
    }
}

io::EmbeddingsBlock block_of(const Batch& batch)
{
    io::EmbeddingsBlock block;
    for (const auto& values : batch.reals)
    {
        block.rows = static_cast<std::size_t>(values.size(0));
        block.reals.push_back({static_cast<const std::byte*>(values.data_ptr()), values.nbytes()});
    }
    if (batch.predicted.defined())
    {
        block.predicted = {batch.predicted.data_ptr<std::int64_t>(), static_cast<std::size_t>(batch.predicted.size(0))};
    }
    return block;
}

/// Makes the batches of a rank, and counts what was classified rightly.
class BatchMaker
{
public:
    BatchMaker(nn::Encoder& encoder, const data::Pictures& pictures, std::int64_t first, std::int64_t count,
               const config::Config& config, const loss::SnnClassifier* classifier, nn::Precision precision)
        : pictures_(pictures), row_(first), half_(config.embed.half), classifier_(classifier)
    {
        std::vector<nn::Embedding> which;
        for (const auto output : outputs_of(config))
        {
            names_.push_back(to_string(output));
            which.push_back(to_nn(output));
        }
        written_ = which.size();
        if (classifier_ != nullptr)
        {
            names_.emplace_back("probabilities");
            which.push_back(embedding_of(config));
        }
        std::vector<std::int64_t> rows;
        for (std::int64_t row = first; row < first + count; ++row)
        {
            rows.push_back(row);
        }
        embedder_.emplace(encoder, pictures, std::move(rows), config, std::move(which), precision);
    }

    /// Empty after the last.
    Batch next()
    {
        Batch batch;
        batch.names = names_;
        const auto outputs = embedder_->next();
        if (!outputs)
        {
            batch.reals.assign(names_.size(), torch::empty({0}));
            return batch;
        }
        for (std::size_t i = 0; i < written_; ++i)
        {
            batch.reals.push_back((*outputs)[i].contiguous());
        }
        if (classifier_ != nullptr)
        {
            classify(outputs->back(), batch);
        }
        const auto rows = batch.reals.front().size(0);
        if (half_)
        {
            to_half(batch, pictures_, row_);
        }
        row_ += rows;
        return batch;
    }

    /// Pictures whose class is the most probable one, and among the five most probable ones.
    const torch::Tensor& right() const { return right_; }

private:
    void classify(const torch::Tensor& queries, Batch& batch)
    {
        batch.reals.push_back(classifier_->probabilities(queries.contiguous()));
        batch.predicted = batch.reals.back().argmax(1).contiguous();
        const auto* const first = pictures_.labels.data() + row_;
        const auto accuracy = loss::accuracy(batch.reals.back(), {first, first + queries.size(0)});
        right_ += torch::tensor({accuracy.top1, accuracy.top5}, torch::kFloat64) * queries.size(0);
    }

    const data::Pictures& pictures_;
    std::int64_t row_;
    bool half_;
    const loss::SnnClassifier* classifier_;
    std::size_t written_ = 0;  // outputs that are columns
    std::vector<std::string> names_;
    std::optional<train::Embedder> embedder_;
    torch::Tensor right_ = torch::zeros({2}, torch::kFloat64);
};

io::EmbeddingsSource source_of(const Pretrained& pretrained, const config::Config& config, const std::string& split,
                               const data::Pictures& pictures)
{
    io::EmbeddingsSource source;
    source.labels = pictures.labels;
    source.index = pictures.all_rows();
    source.names = pictures.names;
    source.checkpoint = pretrained.checkpoint.string();
    source.epoch = pretrained.network.epochs_done;
    source.checkpoint_config = pretrained.network.config.to_yaml();
    source.split = split;
    source.config = config.to_yaml();
    source.temperature = config.criterion.snn_temperature;
    return source;
}

io::EmbeddingsLayout layout_of(nn::Encoder& encoder, const config::Config& config, std::int64_t classes,
                               nn::Precision precision)
{
    io::EmbeddingsLayout layout;
    const auto outputs = outputs_of(config);
    std::vector<nn::Embedding> which;
    std::transform(outputs.begin(), outputs.end(), std::back_inserter(which), to_nn);
    const auto widths = train::output_widths(encoder, config, which, precision);
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

/// All ranks, batch by batch: as many calls on each as the rank with the most pictures needs.
void write_all(io::EmbeddingsWriter& writer, BatchMaker& maker, std::size_t batch_size, std::size_t pictures,
               const comm::World& world)
{
    const auto start = Clock::now();
    const auto rows_after = [&](int rank, std::size_t rounds)
    { return std::min(writer.rows_of(rank).count, rounds * batch_size); };
    std::optional<train::LiveLine> line;
    if (world.is_first())
    {
        line.emplace();
    }
    std::size_t done = 0;
    for (std::size_t round = 1; done < pictures; ++round)
    {
        const auto batch = agreed(*world.communicator, [&] { return maker.next(); });
        agreed(*world.communicator, [&] { writer.write(block_of(batch)); });
        done = 0;
        for (int rank = 0; rank < world.world_size(); ++rank)
        {
            done += rows_after(rank, round);
        }
        if (line)
        {
            line->update(
                [&]
                {
                    const double seconds = seconds_since(start);
                    const double rate = static_cast<double>(done) / seconds;
                    return fmt::format("embedded {} of {} pictures  {:.0f} pictures/s  {} left", done, pictures, rate,
                                       train::format_duration(static_cast<double>(pictures - done) / rate));
                });
        }
    }
    agreed(*world.communicator, [&] { writer.finish(); });
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
    const auto precision = agreed(communicator, [&] { return choose_precision(config.meta); });
    prepare_for_evaluation(encoder, precision);
    const auto split = config.embed.split.value_or(config.data.validation_split);
    const auto input = agreed(communicator, [&] { return load_input(config, split, world); });
    const auto& pictures = input.pictures();
    const auto classifier = make_classifier(encoder, input.dataset, config, precision, communicator);
    const auto layout =
        agreed(communicator, [&] { return layout_of(encoder, config, input.dataset.classes(), precision); });
    const auto make_writer = [&]
    {
        return std::make_unique<io::EmbeddingsWriter>(output, source_of(pretrained, config, split, pictures), layout,
                                                      io::RankGroup(world.mpi));
    };
    const auto writer = agreed(communicator, make_writer);
    const auto mine = writer->rows_of(world.rank());
    BatchMaker maker(encoder, pictures, static_cast<std::int64_t>(mine.first), static_cast<std::int64_t>(mine.count),
                     config, classifier ? &*classifier : nullptr, precision);
    write_all(*writer, maker, static_cast<std::size_t>(config.data.evaluation_batch_size),
              static_cast<std::size_t>(pictures.count()), world);

    std::vector<std::string> described, names;
    for (const auto& [name, dimensions] : layout.outputs)
    {
        described.push_back(fmt::format("{} ({} dimensions)", name, dimensions));
        names.push_back(name);
    }
    const auto seconds = seconds_since(start);
    Summary summary{{"task", "embed"},
                    {"checkpoint", pretrained.checkpoint.string()},
                    {"epochs", pretrained.network.epochs_done},
                    {"pictures", pictures.count()},
                    {"outputs", names},
                    {"dimensions", layout.outputs.front().dimensions},
                    {"pictures_per_second", static_cast<double>(pictures.count()) / seconds},
                    {"files", {output.string()}},
                    {"ranks", world.world_size()},
                    {"seconds", seconds}};
    std::string accuracy;
    if (classifier)
    {
        const auto right = maker.right() / static_cast<double>(pictures.count());
        communicator.all_reduce(right);
        summary["labelled"] = input.dataset.labelled.size();
        summary["top1"] = right[0].item<double>();
        summary["top5"] = right[1].item<double>();
        accuracy = fmt::format("; against {} labelled ones, temperature {}: top-1 {:.2f} %, top-5 {:.2f} %",
                               input.dataset.labelled.size(), config.criterion.snn_temperature,
                               100 * right[0].item<double>(), 100 * right[1].item<double>());
    }
    if (world.is_first())
    {
        fmt::print("{}: {} pictures of '{}' of {}, epoch {}, {} as float{}{}\n", output.string(), pictures.count(),
                   split, input.dataset.source, pretrained.network.epochs_done, fmt::join(described, ", "),
                   layout.half ? 16 : 32, accuracy);
    }
    return summary;
}
}  // namespace paws::tasks
