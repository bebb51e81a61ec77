#include "src/data/content.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <optional>
#include <span>
#include <sstream>

#include "io/base/printable.hpp"
#include "io/dataset/image_checksum.hpp"
#include "io/files/checksum.hpp"

namespace paws::data
{
namespace
{
namespace fs = std::filesystem;

const std::string key_prefix = "data_";
const std::string images_name = key_prefix + "images";
const std::string labels_name = key_prefix + "labels";
const std::string classes_name = key_prefix + "classes";
const std::string class_names_name = key_prefix + "class_names";
const std::string labelled_name = key_prefix + "labelled";
const std::string held_out_name = key_prefix + "held_out";

/// HDF5 may keep the texts of a file's attributes in 64 KiB altogether.
constexpr std::size_t most_bytes_of_names = 16 << 10;

std::uint32_t checksum_of(const std::vector<std::int64_t>& values)
{
    return io::crc32(std::as_bytes(std::span(values)));
}

/// "600 1a2b3c4d"
std::string counted(std::size_t count, std::optional<std::uint32_t> checksum)
{
    return checksum ? fmt::format("{} {:08x}", count, *checksum) : fmt::format("{} unknown", count);
}

std::optional<std::uint32_t> image_checksum(const config::Data& data, const Dataset& dataset)
{
    std::error_code error;
    if (fs::is_regular_file(dataset.read_from, error))
    {
        if (const auto checksum = io::image_checksum(dataset.read_from, data.train_split))
        {
            return checksum;
        }
    }
    const auto& pixels = dataset.train.pixels;
    if (!pixels.defined() || !pixels.is_contiguous())
    {
        return std::nullopt;
    }
    return io::crc32({static_cast<const std::byte*>(pixels.data_ptr()), pixels.nbytes()});
}

std::string joined(const std::vector<std::string>& names)
{
    return fmt::format("{}", fmt::join(io::printable(names), "\n"));
}

std::vector<std::string> lines_of(const std::string& text)
{
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);)
    {
        lines.push_back(line);
    }
    return lines;
}

std::string value_in(const Content& content, const std::string& name)
{
    const auto found = content.find(name);
    return found == content.end() ? std::string() : found->second;
}

/// Of "600 1a2b3c4d": the words.
std::pair<std::string, std::string> parts_of(const std::string& text)
{
    const auto space = text.find(' ');
    return {text.substr(0, space), space == std::string::npos ? "" : text.substr(space + 1)};
}

/// Both counted; empty where they are the same, or one is not known.
std::string difference_of_counted(const Content& before, const Content& now, const std::string& name, const char* what,
                                  const char* of_as_many = "")
{
    const auto [count_before, sum_before] = parts_of(value_in(before, name));
    const auto [count_now, sum_now] = parts_of(value_in(now, name));
    if (count_before.empty() || count_now.empty())
    {
        return {};
    }
    if (count_before != count_now)
    {
        return fmt::format("{} → {} {}", count_before, count_now, what);
    }
    const bool is_known = sum_before != "unknown" && sum_now != "unknown";
    return is_known && sum_before != sum_now ? fmt::format("other {}, as many{}", what, of_as_many) : std::string();
}

/// What is kept of the classes.
Content content_of_classes(const std::vector<std::string>& class_names)
{
    auto names = joined(class_names);
    Content content{{classes_name, counted(class_names.size(), io::crc32(std::as_bytes(std::span(names))))}};
    if (names.size() <= most_bytes_of_names)
    {
        content[class_names_name] = std::move(names);
    }
    return content;
}

std::string difference_of_classes(const Content& before, const Content& now)
{
    const auto was = value_in(before, classes_name);
    const auto is = value_in(now, classes_name);
    if (was.empty() || is.empty() || was == is)
    {
        return {};
    }
    const auto old_names = lines_of(value_in(before, class_names_name));
    const auto names = lines_of(value_in(now, class_names_name));
    const auto [old_name, name] = std::mismatch(old_names.begin(), old_names.end(), names.begin(), names.end());
    std::string first = "the names of classes differ";
    if (!old_names.empty() && !names.empty() && old_names != names)
    {
        first = old_name == old_names.end() ? fmt::format("'{}' is new", *name)
                : name == names.end()
                    ? fmt::format("there is no '{}'", *old_name)
                    : fmt::format("class {} is '{}', was '{}'", name - names.begin(), *name, *old_name);
    }
    const auto count_before = parts_of(was).first;
    const auto count_now = parts_of(is).first;
    return count_before == count_now
               ? first
               : fmt::format("{} → {}, {}", count_before, count_now == "1" ? "1 class" : count_now + " classes", first);
}
}  // namespace

Content content_of(const config::Data& data, const Dataset& dataset)
{
    if (data.is_synthetic())
    {
        return {};
    }
    const auto& train = dataset.train;
    auto content = content_of_classes(dataset.class_names);
    content[images_name] = counted(train.labels.size(), image_checksum(data, dataset));
    content[labels_name] = counted(train.labels.size(), checksum_of(train.labels));
    content[labelled_name] = counted(dataset.labelled.size(), checksum_of(dataset.labelled));
    content[held_out_name] = counted(dataset.held_out.size(), checksum_of(dataset.held_out));
    return content;
}

Content content_in(const std::map<std::string, std::string>& texts)
{
    Content content;
    std::copy_if(texts.begin(), texts.end(), std::inserter(content, content.end()),
                 [](const auto& text) { return text.first.starts_with(key_prefix); });
    return content;
}

std::string class_difference(const Content& before, const std::vector<std::string>& class_names)
{
    return difference_of_classes(before, content_of_classes(class_names));
}

std::vector<std::string> differences(const Content& before, const Content& now)
{
    std::vector<std::string> found;
    const auto add = [&](std::string text)
    {
        if (!text.empty())
        {
            found.push_back(std::move(text));
        }
    };
    add(difference_of_classes(before, now));
    const auto images = difference_of_counted(before, now, images_name, "images");
    add(images);
    if (images.empty())
    {
        // Of other images, these differ as well.
        add(difference_of_counted(before, now, labels_name, "labels of images"));
        add(difference_of_counted(before, now, labelled_name, "labelled images", " (or in another order)"));
        add(difference_of_counted(before, now, held_out_name, "held-out images", " (or in another order)"));
    }
    return found;
}
}  // namespace paws::data
