#include "src/data/dataset.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <numeric>

#include "io/dataset_file.hpp"
#include "io/pack.hpp"
#include "io/subset_file.hpp"
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

Dataset read_packed(const config::Data& data, Splits splits)
{
    const io::DatasetFile file(*data.file);
    Dataset dataset;
    dataset.source = *data.file;
    dataset.class_names = file.class_names();
    dataset.train = resident(file.read(data.train_split));
    if (splits == Splits::train_and_validation)
    {
        dataset.validation = resident(file.read(data.validation_split));
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
    if (data.file)
    {
        return read_packed(data, splits);
    }
    if (data.is_cifar10())
    {
        return read_cifar10(data, splits);
    }
    throw config::Error(
        fmt::format("data.dataset: {} is read from a packed file; give data.file (made by `paws_hpc pack`)",
                    to_string(data.dataset)));
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
        std::vector<std::int64_t> all(static_cast<std::size_t>(train.count()));
        std::iota(all.begin(), all.end(), 0);
        return all;
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
        std::vector<std::int64_t> all(static_cast<std::size_t>(train.count()));
        std::iota(all.begin(), all.end(), 0);
        return all;
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
    return dataset;
}
}  // namespace paws::data
