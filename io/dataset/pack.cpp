#include "io/dataset/pack.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "io/base/error.hpp"
#include "io/base/printable.hpp"
#include "io/dataset/cifar10.hpp"
#include "io/dataset/idx.hpp"
#include "io/files/input_path.hpp"

namespace paws::io
{
namespace
{
/// "train/000123", for images that come without names.
std::vector<std::string> numbered_names(const std::string& split, std::size_t count)
{
    std::vector<std::string> names;
    for (std::size_t i = 0; i < count; ++i)
    {
        std::array<char, 32> number{};
        std::snprintf(number.data(), number.size(), "/%06zu", i);
        names.push_back(split + number.data());
    }
    return names;
}

void require_class_names(const ImageSet& set, const std::vector<std::string>& class_names, const std::string& where)
{
    for (const std::int64_t label : set.labels)
    {
        if (label < 0 || static_cast<std::size_t>(label) >= class_names.size())
        {
            throw Error(where + ": has the label " + std::to_string(label) + ", but there are " +
                        std::to_string(class_names.size()) + " class names; give one for each class");
        }
    }
}

std::filesystem::path find_idx(const std::filesystem::path& folder, const std::string& name)
{
    for (const std::filesystem::path& path : {folder / name, folder / (name + ".gz")})
    {
        if (is_there(path))
        {
            return path;
        }
    }
    throw Error(folder.string() + ": has neither " + name + " nor " + name + ".gz; download it into this folder");
}

/// Grey images [N, h, w] as RGB with `margin` black pixels around: [N, h + 2 margin, w + 2 margin, 3].
std::vector<std::uint8_t> to_rgb(const IdxArray& grey, std::size_t margin)
{
    const std::size_t height = grey.shape[1];
    const std::size_t width = grey.shape[2];
    const std::size_t out_height = height + 2 * margin;
    const std::size_t out_width = width + 2 * margin;
    std::vector<std::uint8_t> rgb(grey.shape[0] * out_height * out_width * 3, 0);
    for (std::size_t row = 0; row < grey.shape[0] * height; ++row)
    {
        const std::size_t out_row = row / height * out_height + row % height + margin;
        for (std::size_t column = 0; column < width; ++column)
        {
            std::fill_n(rgb.begin() + static_cast<std::ptrdiff_t>((out_row * out_width + column + margin) * 3), 3,
                        grey.values[row * width + column]);
        }
    }
    return rgb;
}

ImageSet read_idx_split(const std::filesystem::path& folder, const std::string& prefix, const std::string& split)
{
    const std::filesystem::path images_path = find_idx(folder, prefix + "-images-idx3-ubyte");
    const IdxArray images = read_idx(images_path);
    const std::filesystem::path labels_path = find_idx(folder, prefix + "-labels-idx1-ubyte");
    const IdxArray labels = read_idx(labels_path);
    if (images.shape.size() != 3 || images.values.empty())
    {
        throw Error(images_path.string() + ": holds no images [N, H, W]; download it again");
    }
    if (labels.shape.size() != 1 || labels.shape[0] != images.shape[0])
    {
        throw Error(labels_path.string() + ": does not hold one label for each of the " +
                    std::to_string(images.shape[0]) + " images of " + images_path.filename().string() +
                    "; download both again");
    }
    // The networks for small images take 32×32.
    const std::size_t margin = images.shape[1] == 28 && images.shape[2] == 28 ? 2 : 0;
    ImageSet set;
    set.height = images.shape[1] + 2 * margin;
    set.width = images.shape[2] + 2 * margin;
    set.pixels = to_rgb(images, margin);
    set.labels.assign(labels.values.begin(), labels.values.end());
    set.names = numbered_names(split, set.count());
    return set;
}

/// One of the two versions of CIFAR-10.
struct Cifar10Version
{
    const char* folder;
    const char* suffix;
    const char* classes;
    Cifar10Batch (*read_batch)(const std::filesystem::path&);
    std::vector<std::string> (*read_classes)(const std::filesystem::path&);
};

constexpr std::array<Cifar10Version, 2> cifar10_versions = {{
    {"cifar-10-batches-py", "", "batches.meta", read_cifar10_pickle, read_cifar10_pickled_classes},
    {"cifar-10-batches-bin", ".bin", "batches.meta.txt", read_cifar10_binary, read_cifar10_text_classes},
}};

ImageSet read_cifar10_split(const std::filesystem::path& folder, const Cifar10Version& version,
                            const std::vector<std::string>& files, const std::string& split)
{
    ImageSet set;
    set.height = cifar10_side;
    set.width = cifar10_side;
    for (const std::string& file : files)
    {
        const Cifar10Batch batch = version.read_batch(folder / (file + version.suffix));
        set.pixels.insert(set.pixels.end(), batch.pixels.begin(), batch.pixels.end());
        set.labels.insert(set.labels.end(), batch.labels.begin(), batch.labels.end());
        const auto names = printable(batch.names);
        set.names.insert(set.names.end(), names.begin(), names.end());
    }
    if (set.names.size() != set.count())
    {
        set.names = numbered_names(split, set.count());
    }
    return set;
}
}  // namespace

std::vector<std::string> digit_class_names()
{
    return {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
}

std::vector<std::string> fashion_mnist_class_names()
{
    return {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"};
}

DatasetContent read_idx_folder(const std::filesystem::path& folder, const std::vector<std::string>& class_names)
{
    require_folder(folder);
    DatasetContent content{class_names, {}};
    content.splits["train"] = read_idx_split(folder, "train", "train");
    content.splits["val"] = read_idx_split(folder, "t10k", "val");
    for (const auto& [name, split] : content.splits)
    {
        require_class_names(split, class_names, folder.string() + ", split '" + name + "'");
    }
    return content;
}

DatasetContent read_cifar10_folder(const std::filesystem::path& folder)
{
    require_folder(folder);
    for (const Cifar10Version& version : cifar10_versions)
    {
        for (const std::filesystem::path& place : {folder, folder / version.folder})
        {
            // A file of a batch shows the version; which files are missing is for the readers to say.
            if (!is_there(place / (std::string("data_batch_1") + version.suffix)) && !is_there(place / version.classes))
            {
                continue;
            }
            DatasetContent content{printable(version.read_classes(place / version.classes)), {}};
            content.splits["train"] = read_cifar10_split(
                place, version, {"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5"},
                "train");
            content.splits["val"] = read_cifar10_split(place, version, {"test_batch"}, "val");
            for (const auto& [name, split] : content.splits)
            {
                require_class_names(split, content.class_names, place.string() + ", split '" + name + "'");
            }
            return content;
        }
    }
    throw Error(folder.string() +
                ": has neither data_batch_1 nor data_batch_1.bin; download CIFAR-10 and unpack it there");
}
}  // namespace paws::io
