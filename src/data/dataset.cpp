#include "src/data/dataset.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "io/base/quantity.hpp"
#include "io/dataset/dataset_file.hpp"
#include "io/dataset/pack.hpp"
#include "io/files/input_path.hpp"
#include "io/ranks/agreed.hpp"
#include "src/data/labelled.hpp"
#include "src/data/loader_settings.hpp"
#include "src/data/packed_file.hpp"
#include "src/data/samplers.hpp"
#include "src/data/synthetic.hpp"
#include "src/data/view_place.hpp"

namespace paws::data
{
namespace
{
namespace fs = std::filesystem;

Images resident(io::ImageSet&& set)
{
    Images images;
    const auto count = static_cast<std::int64_t>(set.count());
    const auto height = static_cast<std::int64_t>(set.height);
    const auto width = static_cast<std::int64_t>(set.width);
    // The tensor takes the vector over: the images are held once.
    auto* const owner = new std::vector<std::uint8_t>(std::move(set.pixels));
    images.pixels = torch::from_blob(
        owner->data(), {count, height, width, 3}, [owner](void*) { delete owner; }, torch::kUInt8);
    images.labels = std::move(set.labels);
    images.names = std::move(set.names);
    return images;
}

/// `cache_left`: what is left of the memory for images, which a split that is read takes its part of.
Images open_split(const std::shared_ptr<const io::DatasetFile>& file, const std::string& split,
                  std::int64_t& cache_left)
{
    if (!file->is_encoded(split))
    {
        const auto bytes = static_cast<std::int64_t>(file->count(split) * file->height(split) * file->width(split) * 3);
        if (bytes <= cache_left)
        {
            cache_left -= bytes;
            return resident(file->read(split));
        }
    }
    Images images;
    images.labels = file->labels(split);
    images.names = file->names(split);
    images.stored = std::make_shared<StoredSplit>(file, split, cache_left);
    cache_left -= std::min(cache_left, images.stored->bytes());
    return images;
}

/// What to set where a split is not there.
std::string remedy_of_split(const config::Config& config, bool is_validation)
{
    switch (config.task)
    {
        case config::Task::snn_eval:
            return is_validation ? "name another with --split (data.validation_split)" : "set data.train_split";
        case config::Task::embed:
            // With probabilities, the labelled images are of another one.
            return is_validation || !config.embed.probabilities ? "name another with --split (embed.split)"
                                                                : "set data.train_split, or --split (embed.split)";
        default:
            return is_validation ? "set data.validation_split to one of them, or train without evaluation: "
                                   "logging.eval_every: 0"
                                 : "set data.train_split to one of them";
    }
}

/// Throws unless the splits that are needed are among `there`.
void require_splits(const config::Config& config, Splits splits, const std::string& source,
                    const std::vector<std::string>& there)
{
    const auto require = [&](const std::string& split, bool is_validation)
    {
        if (std::find(there.begin(), there.end(), split) == there.end())
        {
            throw config::Error(fmt::format("{}: has no split '{}', only {}; {}", source, split,
                                            there.empty() ? "none at all" : fmt::format("{}", fmt::join(there, ", ")),
                                            remedy_of_split(config, is_validation)));
        }
    };
    require(config.data.train_split, false);
    if (splits == Splits::train_and_validation)
    {
        require(config.data.validation_split, true);
    }
}

Dataset read_packed(const config::Config& config, const fs::path& path, Splits splits, std::int64_t cache)
{
    const auto& data = config.data;
    const auto file = std::make_shared<const io::DatasetFile>(path);
    require_splits(config, splits, path.string(), file->split_names());
    Dataset dataset;
    dataset.class_names = file->class_names();
    auto cache_left = cache;
    dataset.train = open_split(file, data.train_split, cache_left);
    if (splits == Splits::train_and_validation)
    {
        dataset.validation = open_split(file, data.validation_split, cache_left);
    }
    return dataset;
}

/// The published folder: ROOT/IMAGE_FOLDER, with the batches there or one level below, as the published archive
/// unpacks.
Dataset read_cifar10(const config::Config& config, Splits splits)
{
    const auto& data = config.data;
    fs::path folder = fs::path(data.root_path) / data.image_folder;
    for (const char* below : {"cifar-10-batches-py", "cifar-10-batches-bin"})
    {
        if (io::is_folder(folder / below))
        {
            folder /= below;
            break;
        }
    }
    auto content = io::read_cifar10_folder(folder);
    Dataset dataset;
    dataset.source = dataset.read_from = folder.string();
    dataset.class_names = content.class_names;
    std::vector<std::string> there;
    for (const auto& [name, split] : content.splits)
    {
        there.push_back(name);
    }
    require_splits(config, splits, dataset.source, there);
    const auto take = [&](const std::string& split) { return resident(std::move(content.splits.at(split))); };
    dataset.train = take(data.train_split);
    if (splits == Splits::train_and_validation)
    {
        dataset.validation = take(data.validation_split);
    }
    return dataset;
}

void append(std::vector<std::string>& notes, const std::vector<std::string>& more)
{
    notes.insert(notes.end(), more.begin(), more.end());
}

void give_resources(Dataset& dataset, const ranks::Resources& node)
{
    dataset.train.node = node;
    dataset.validation.node = node;
}

Dataset read_images(const config::Config& config, Splits splits, const comm::World& world)
{
    const auto& data = config.data;
    const auto& ranks = world.group();
    const auto node = ranks::resources_of_rank(world.group());
    if (data.is_synthetic())
    {
        auto dataset =
            agreed(ranks, [&] { return synthetic_images(data, splits, static_cast<std::uint64_t>(config.meta.seed)); });
        give_resources(dataset, node);
        return dataset;
    }
    if (!data.file && data.is_cifar10())
    {
        // Read once and into memory: there is nothing to gain from a copy.
        auto dataset = agreed(ranks, [&] { return read_cifar10(config, splits); });
        give_resources(dataset, node);
        return dataset;
    }
    const auto packed = packed_file(data, world);
    const auto local = staged_file(data, packed.path, world);
    const auto cache = cache_bytes(data, node);
    auto dataset = agreed(ranks, [&] { return read_packed(config, local.path, splits, cache); });
    dataset.source = packed.path.string();
    dataset.read_from = local.path.string();
    give_resources(dataset, node);
    append(dataset.notes, packed.notes);
    append(dataset.notes, local.notes);
    return dataset;
}

std::vector<std::int64_t> unlabelled_rows(const config::Config& config, const Images& train)
{
    const auto wanted = config.data.unlabelled_count;
    if (wanted > train.count())
    {
        throw config::Error(fmt::format("data.unlabelled_count: {} of the {} images there are; lower it, or 0 for all",
                                        wanted, train.count()));
    }
    if (wanted == 0 || wanted == train.count())
    {
        return train.all_rows();
    }
    auto rows = random_permutation(train.count(), static_cast<std::uint64_t>(config.meta.seed));
    rows.resize(static_cast<std::size_t>(wanted));
    return rows;
}

/// Which images are labelled, which are not used, which are held out.
void choose_rows(Dataset& dataset, const config::Config& config, std::int64_t world_size)
{
    const auto& data = config.data;
    if (data.num_classes != 0 && data.num_classes != dataset.classes())
    {
        // Nobody need have set it: the published data sets have their own.
        throw config::Error(
            fmt::format("{} has {}, but data.num_classes: {} (data.dataset: {}{}); set it to {}", dataset.source,
                        io::plural(dataset.classes(), "class", "es"), data.num_classes, to_string(data.dataset),
                        data.is_cifar10() || data.is_imagenet() ? " brings it along" : "", dataset.classes()));
    }
    auto labelled = labelled_rows(data, dataset.train, dataset.class_names);
    dataset.labelled = std::move(labelled.rows);
    append(dataset.notes, labelled.notes);
    append(dataset.notes, notes_on_classes(config, dataset.labelled_targets(), dataset.class_names, dataset.source));
    require_enough_labels(config, dataset.labelled_targets(), dataset.class_names, world_size);
    dataset.unlabelled = unlabelled_rows(config, dataset.train);
    auto held_out = held_out_rows(data, dataset.train, dataset.labelled);
    dataset.held_out = std::move(held_out.rows);
    append(dataset.notes, held_out.notes);
    if (!dataset.train.in_memory() && dataset.labelled.size() < static_cast<std::size_t>(dataset.train.count()))
    {
        // The labelled images come back many times in an epoch, the others once.
        dataset.train.stored->prefer_in_cache(dataset.labelled);
    }
}
}  // namespace

std::vector<std::int64_t> Dataset::labelled_targets() const
{
    std::vector<std::int64_t> targets;
    targets.reserve(labelled.size());
    for (const auto row : labelled)
    {
        targets.push_back(train.labels[static_cast<std::size_t>(row)]);
    }
    return targets;
}

Dataset load_dataset(const config::Config& config, Splits splits, const comm::World& world)
{
    auto dataset = read_images(config, splits, world);
    return agreed(world.group(),
                  [&]
                  {
                      check_augment_on(config.data, dataset.train);
                      check_augment_on(config.data, dataset.validation);
                      choose_rows(dataset, config,
                                  config.meta.emulate_world > 0 ? config.meta.emulate_world : world.world_size());
                      return std::move(dataset);
                  });
}
}  // namespace paws::data
