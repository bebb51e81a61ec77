#include "src/tasks/describe_run.hpp"

#include <fmt/format.h>

#include "io/error.hpp"
#include "src/data/packed_file.hpp"
#include "src/data/paws_loader.hpp"
#include "src/nn/encoder.hpp"
#include "src/tasks/describe_data.hpp"
#include "src/tasks/runtime.hpp"
#include "src/train/memory_estimate.hpp"

namespace paws::tasks
{
namespace
{
std::string gibibytes(std::int64_t bytes)
{
    return fmt::format("{:.2f} GiB", static_cast<double>(bytes) / (1LL << 30));
}

/// A run for GPUs can be looked at on a machine without one.
nn::Precision precision_of_dry_run(const config::Meta& meta, std::string& text)
{
    try
    {
        return choose_precision(meta);
    }
    catch (const config::Error& error)
    {
        text +=
            fmt::format("note            this machine cannot run it, sizes are for fp32 on a CPU: {}\n", error.what());
        return nn::Precision::fp32;
    }
}

/// Reads what is there; a dry run neither packs nor copies.
data::Dataset look_at_data(const config::Config& config)
{
    auto wanted = config;
    wanted.data.copy_data = false;
    const bool is_packed = config.data.file || !config.data.is_cifar10();
    if (is_packed)
    {
        const auto place = data::packed_place(config.data);
        if (!place.exists && !place.folder.empty())
        {
            throw config::Error(
                fmt::format("the run begins by packing {} into {}", place.folder.string(), place.file.string()));
        }
    }
    auto dataset = data::load_dataset(wanted, data::Splits::train);
    if (is_packed && config.data.copy_data)
    {
        dataset.notes.push_back(fmt::format("data.copy_data: the run copies the file to {} of each node first",
                                            config.data.scratch.value_or("$SLURM_TMPDIR or $TMPDIR")));
    }
    return dataset;
}

std::string describe_steps(const config::Config& config, const data::Dataset& dataset)
{
    const auto steps = data::PawsLoader(dataset, config).steps_per_epoch();
    return fmt::format(
        "data            {}: {} training pictures, {} unlabelled used, {} labelled, {} classes\n"
        "steps           {} an epoch, {} in {} epochs\n",
        dataset.source, dataset.train.count(), dataset.unlabelled.size(), dataset.labelled.size(), dataset.classes(),
        steps, steps * config.optimization.epochs, config.optimization.epochs);
}
}  // namespace

std::string describe_sizes(const config::Config& config, const data::Dataset* dataset, nn::Precision precision,
                           std::int64_t threads)
{
    const auto& criterion = config.criterion;
    const auto& data = config.data;
    const auto& meta = config.meta;
    const auto encoder = nn::make_encoder({meta.model_name, meta.output_dim, meta.use_pred_head});
    const auto supports =
        criterion.classes_per_batch * criterion.supervised_imgs_per_class * criterion.supervised_views;
    const auto pictures = criterion.unsupervised_batch_size;
    auto text = fmt::format(
        "ranks           1, {} threads, {}\n"
        "network         {}, {} parameters, output {}{}\n"
        "batch per rank  {} pictures: {} views of {}², {} views of {}²\n"
        "supports        {} per rank, {} in total: {} classes × {} pictures × {} views\n"
        "learning rate   {} → {} in {} epochs, then cosine to {}\n",
        threads, nn::to_string(precision), meta.model_name, nn::parameter_count(*encoder), meta.output_dim,
        meta.use_pred_head ? ", with prediction head" : "", pictures, 2 * pictures, data.crop_size,
        data.multicrop * pictures, data.small_crop_size, supports, supports, criterion.classes_per_batch,
        criterion.supervised_imgs_per_class, criterion.supervised_views, config.optimization.start_lr,
        config.optimization.lr, config.optimization.warmup, config.optimization.final_lr);
    if (dataset != nullptr)
    {
        text += describe_steps(config, *dataset);
        text += describe_data(config, *dataset);
        if (criterion.classes_per_batch < dataset->classes())
        {
            text += fmt::format(
                "note            {} of {} classes are among the supports of a step; the published runs reach more by "
                "using more "
                "ranks: raise criterion.classes_per_batch on a small machine\n",
                criterion.classes_per_batch, dataset->classes());
        }
    }
    return text;
}

std::string describe_run(const config::Config& config, std::int64_t threads)
{
    auto text = config.to_yaml() + "\n";
    const auto precision = precision_of_dry_run(config.meta, text);
    std::optional<data::Dataset> dataset;
    std::string no_data;
    try
    {
        dataset = look_at_data(config);
    }
    catch (const io::Error& error)
    {
        no_data = error.what();
    }
    catch (const config::Error& error)
    {
        no_data = error.what();
    }
    text += describe_sizes(config, dataset ? &*dataset : nullptr, precision, threads);
    const auto memory = train::estimate_memory(config, precision);
    text += fmt::format("memory          {} expected: {} weights, gradients and momentum, {} activations{}\n",
                        gibibytes(memory.total()), gibibytes(memory.weights), gibibytes(memory.activations),
                        dataset ? ", " + gibibytes(dataset->train.bytes()) +
                                      (dataset->train.in_memory() ? " pictures beside them" : " pictures in their file")
                                : "");
    if (!no_data.empty())
    {
        text += fmt::format("data            not read, so no number of steps: {}\n", no_data);
    }
    return text;
}
}  // namespace paws::tasks
