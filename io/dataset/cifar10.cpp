#include "io/dataset/cifar10.hpp"

#include <algorithm>
#include <sstream>
#include <string_view>

#include "io/base/error.hpp"
#include "io/files/read_file.hpp"
#include "io/torch/pickle.hpp"
#include "io/torch/pickle_numpy.hpp"

namespace paws::io
{
namespace
{
constexpr std::size_t plane = cifar10_side * cifar10_side;
constexpr std::size_t image_bytes = 3 * plane;

[[noreturn]] void refuse_cifar10(const std::filesystem::path& path, const std::string& what)
{
    throw Error(path.string() + ": " + what + "; it is not a file of CIFAR-10, download it again");
}

/// Both versions keep an image as three planes, red, green, blue; appends it pixel by pixel.
void append_image(std::vector<std::uint8_t>& pixels, std::string_view planes)
{
    for (std::size_t i = 0; i < plane; ++i)
    {
        for (std::size_t channel = 0; channel < 3; ++channel)
        {
            pixels.push_back(static_cast<std::uint8_t>(planes[channel * plane + i]));
        }
    }
}

pickle::Document read_pickle(const std::filesystem::path& path)
{
    return pickle::read(read_file(path), pickle::numpy_globals(), path.string());
}

const pickle::Value& entry(const pickle::Document& document, const char* key, const std::filesystem::path& path)
{
    const pickle::Value* value = document.root().find(key);
    if (!value)
    {
        refuse_cifar10(path, std::string("has no entry '") + key + "'");
    }
    return *value;
}

std::vector<std::string> strings_of(const pickle::Value& list, const std::filesystem::path& path)
{
    std::vector<std::string> strings;
    for (const pickle::Value* item : list.items)
    {
        if (!item->is_string())
        {
            refuse_cifar10(path, "has a name that is not text");
        }
        strings.push_back(item->text);
    }
    return strings;
}
}  // namespace

Cifar10Batch read_cifar10_pickle(const std::filesystem::path& path)
{
    const pickle::Document document = read_pickle(path);
    const pickle::NumpyArray data = pickle::numpy_array(entry(document, "data", path), path.string());
    const auto& labels = entry(document, "labels", path).items;
    if (data.type != "u1" || data.shape.size() != 2 || data.shape[1] != image_bytes || data.shape[0] != labels.size())
    {
        refuse_cifar10(
            path, "does not hold 3072 bytes of an image for each of its " + std::to_string(labels.size()) + " labels");
    }
    Cifar10Batch batch;
    batch.pixels.reserve(data.bytes.size());
    for (std::size_t i = 0; i < labels.size(); ++i)
    {
        if (labels[i]->kind != pickle::Kind::integer)
        {
            refuse_cifar10(path, "has a label that is not a whole number");
        }
        batch.labels.push_back(labels[i]->integer);
        append_image(batch.pixels, std::string_view(data.bytes).substr(i * image_bytes, image_bytes));
    }
    if (const pickle::Value* names = document.root().find("filenames"))
    {
        batch.names = strings_of(*names, path);
        if (batch.names.size() != labels.size())
        {
            refuse_cifar10(path, "has " + std::to_string(batch.names.size()) + " file names for " +
                                     std::to_string(labels.size()) + " labels");
        }
    }
    return batch;
}

std::vector<std::string> read_cifar10_pickled_classes(const std::filesystem::path& path)
{
    const pickle::Document document = read_pickle(path);
    std::vector<std::string> names = strings_of(entry(document, "label_names", path), path);
    if (names.empty())
    {
        refuse_cifar10(path, "has no class names");
    }
    return names;
}

Cifar10Batch read_cifar10_binary(const std::filesystem::path& path)
{
    constexpr std::size_t record = 1 + image_bytes;
    const std::string bytes = read_file(path);
    if (bytes.empty() || bytes.size() % record != 0)
    {
        refuse_cifar10(
            path, "has " + std::to_string(bytes.size()) + " bytes, which is not a whole number of records of 3073");
    }
    Cifar10Batch batch;
    batch.pixels.reserve(bytes.size());
    for (std::size_t begin = 0; begin < bytes.size(); begin += record)
    {
        batch.labels.push_back(static_cast<std::uint8_t>(bytes[begin]));
        append_image(batch.pixels, std::string_view(bytes).substr(begin + 1, image_bytes));
    }
    return batch;
}

std::vector<std::string> read_cifar10_text_classes(const std::filesystem::path& path)
{
    std::istringstream lines(read_file(path));
    std::vector<std::string> names;
    for (std::string line; std::getline(lines, line);)
    {
        line.erase(line.find_last_not_of(" \t\r") + 1);
        if (!line.empty())
        {
            names.push_back(line);
        }
    }
    if (names.empty())
    {
        refuse_cifar10(path, "has no class names");
    }
    return names;
}
}  // namespace paws::io
