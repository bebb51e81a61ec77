#include "src/data/dataset.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "io/dataset_file.hpp"
#include "io/pack.hpp"
#include "io/subset_file.hpp"
#include "src/data/loader_settings.hpp"
#include "src/data/packed_file.hpp"
#include "src/data/samplers.hpp"

namespace paws::data
{
namespace
{
namespace fs = std::filesystem;

Pictures resident(io::PictureSet&& set)
{
    Pictures pictures;
    const auto count = static_cast<std::int64_t>(set.count());
    const auto height = static_cast<std::int64_t>(set.height);
    const auto width = static_cast<std::int64_t>(set.width);
    // The tensor takes the vector over: the pictures are held once.
    auto* const owner = new std::vector<std::uint8_t>(std::move(set.pixels));
    pictures.pixels = torch::from_blob(
        owner->data(), {count, height, width, 3}, [owner](void*) { delete owner; }, torch::kUInt8);
    pictures.labels = std::move(set.labels);
    pictures.names = std::move(set.names);
    return pictures;
}

/// `cache_left`: what is left of the memory for pictures, which a split that is read takes its part of.
Pictures open_split(const std::shared_ptr<const io::DatasetFile>& file, const std::string& split,
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
    Pictures pictures;
    pictures.labels = file->labels(split);
    pictures.names = file->names(split);
    pictures.stored = std::make_shared<StoredSplit>(file, split, cache_left);
    cache_left -= std::min(cache_left, pictures.stored->bytes());
    return pictures;
}

Dataset read_packed(const config::Data& data, const fs::path& path, Splits splits)
{
    const auto file = std::make_shared<const io::DatasetFile>(path);
    Dataset dataset;
    dataset.source = path.string();
    dataset.class_names = file->class_names();
    auto cache_left = cache_bytes(data);
    dataset.train = open_split(file, data.train_split, cache_left);
    if (splits == Splits::train_and_validation)
    {
        dataset.validation = open_split(file, data.validation_split, cache_left);
    }
    return dataset;
}

/// The published folder: ROOT/IMAGE_FOLDER, with the batches there or one level below, as the published archive
/// unpacks.
Dataset read_cifar10(const config::Data& data, Splits splits)
{
    fs::path folder = fs::path(data.root_path) / data.image_folder;
    for (const char* below : {"cifar-10-batches-py", "cifar-10-batches-bin"})
    {
        if (fs::is_directory(folder / below))
        {
            folder /= below;
            break;
        }
    }
    auto content = io::read_cifar10_folder(folder);
    Dataset dataset;
    dataset.source = folder.string();
    dataset.class_names = content.class_names;
    const auto take = [&](const std::string& split)
    {
        const auto found = content.splits.find(split);
        if (found == content.splits.end())
        {
            throw config::Error(fmt::format("{} has no split '{}'; set data.train_split and data.validation_split",
                                            dataset.source, split));
        }
        return resident(std::move(found->second));
    };
    dataset.train = take(data.train_split);
    if (splits == Splits::train_and_validation)
    {
        dataset.validation = take(data.validation_split);
    }
    return dataset;
}

Dataset read_pictures(const config::Data& data, Splits splits)
{
    if (!data.file && data.is_cifar10())
    {
        return read_cifar10(data, splits);
    }
    return read_packed(data, packed_file(data), splits);
}

std::vector<std::int64_t> labelled_rows(const config::Data& data, const Pictures& train)
{
    const auto list = data.labelled_list();
    if (!list)
    {
        if (data.unlabeled_frac > 0)
        {
            throw config::Error(fmt::format(
                "data.unlabeled_frac: {} without a list of the labelled pictures; give data.subset (made by `paws_hpc "
                "subset`), or 0 to use all labels",
                data.unlabeled_frac));
        }
        return train.all_rows();
    }
    const auto rows = io::read_subset(*list, train.names);
    return {rows.begin(), rows.end()};
}

std::vector<std::int64_t> unlabelled_rows(const config::Config& config, const Pictures& train)
{
    const auto wanted = config.data.unlabelled_count;
    if (wanted > train.count())
    {
        throw config::Error(fmt::format(
            "data.unlabelled_count: {} of the {} pictures there are; lower it, or 0 for all", wanted, train.count()));
    }
    if (wanted == 0 || wanted == train.count())
    {
        return train.all_rows();
    }
    auto rows = random_permutation(train.count(), static_cast<std::uint64_t>(config.meta.seed));
    rows.resize(static_cast<std::size_t>(wanted));
    return rows;
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

Dataset load_dataset(const config::Config& config, Splits splits)
{
    auto dataset = read_pictures(config.data, splits);
    if (config.data.num_classes != 0 && config.data.num_classes != dataset.classes())
    {
        throw config::Error(fmt::format("data.num_classes: {}, but {} has {} classes; correct it or leave it out",
                                        config.data.num_classes, dataset.source, dataset.classes()));
    }
    dataset.labelled = labelled_rows(config.data, dataset.train);
    dataset.unlabelled = unlabelled_rows(config, dataset.train);
    if (!dataset.train.in_memory() && dataset.labelled.size() < static_cast<std::size_t>(dataset.train.count()))
    {
        // The labelled pictures come back many times in an epoch, the others once.
        dataset.train.stored->prefer_in_cache(dataset.labelled);
    }
    return dataset;
}
}  // namespace paws::data
