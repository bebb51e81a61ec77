#include "io/dataset/subset_file.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <sstream>
#include <string_view>
#include <unordered_map>

#include "io/base/error.hpp"
#include "io/base/printable.hpp"
#include "io/base/quantity.hpp"
#include "io/files/atomic_file.hpp"
#include "io/files/read_file.hpp"

namespace paws::io
{
namespace
{
std::string_view trimmed(std::string_view line)
{
    constexpr std::string_view spaces = " \t\r";
    const auto first = line.find_first_not_of(spaces);
    return first == std::string_view::npos ? std::string_view()
                                           : line.substr(first, line.find_last_not_of(spaces) + 1 - first);
}

bool is_number(std::string_view text)
{
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Finds images by what a line says. Messages are completed by the caller.
class Lookup
{
public:
    Lookup(std::span<const std::string> names, bool by_position) : names_(names), by_position_(by_position)
    {
        for (std::size_t i = 0; !by_position_ && i < names.size(); ++i)
        {
            add(names[i], i);
            const auto slash = names[i].rfind('/');
            if (slash != std::string::npos)
            {
                add(std::string_view(names[i]).substr(slash + 1), i);
            }
        }
    }

    std::size_t find(std::string_view word) const { return by_position_ ? find_position(word) : find_name(word); }

private:
    static constexpr std::size_t several = static_cast<std::size_t>(-1);

    void add(std::string_view name, std::size_t index)
    {
        const auto [entry, is_new] = indices_.emplace(name, index);
        if (!is_new)
        {
            entry->second = several;
        }
    }

    std::size_t find_position(std::string_view word) const
    {
        std::size_t index = 0;
        const auto result = std::from_chars(word.data(), word.data() + word.size(), index);
        if (!is_number(word))
        {
            throw Error("'" + std::string(word) +
                        "' is not a position, as the first line is; use positions or names throughout");
        }
        if (result.ec != std::errc() || index >= names_.size())
        {
            throw Error("there is no image " + std::string(word) + " in the " + std::to_string(names_.size()) +
                        " of the split, counted from 0; use the subset of this data set");
        }
        return index;
    }

    std::size_t find_name(std::string_view word) const
    {
        auto entry = indices_.find(word);
        if (entry == indices_.end())
        {
            // The bytes of a file's name, which a data set holds as they can be printed.
            entry = indices_.find(printable(word));
        }
        if (entry == indices_.end())
        {
            throw Error("there is no image named '" + std::string(word) + "' in the split, whose first is called '" +
                        (names_.empty() ? "" : names_.front()) + "'; use a list of this data set");
        }
        if (entry->second == several)
        {
            throw Error("several images are named '" + std::string(word) + "'; use positions");
        }
        return entry->second;
    }

    std::span<const std::string> names_;
    bool by_position_;
    std::unordered_map<std::string_view, std::size_t> indices_;
};

/// Sebastiano Vigna's splitmix64: a number of 64 bits per step, the same everywhere.
class SplitMix
{
public:
    explicit SplitMix(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next()
    {
        state_ += 0x9e3779b97f4a7c15U;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
        return z ^ (z >> 31);
    }

    /// Uniform in [0, bound).
    std::uint64_t below(std::uint64_t bound)
    {
        // The smallest numbers, which would make some remainders more likely, are drawn again.
        const std::uint64_t too_small = (0 - bound) % bound;
        std::uint64_t number = next();
        while (number < too_small)
        {
            number = next();
        }
        return number % bound;
    }

private:
    std::uint64_t state_;
};

std::vector<std::vector<std::size_t>> members_of_classes(std::span<const std::int64_t> labels, std::size_t num_classes)
{
    std::vector<std::vector<std::size_t>> members(num_classes);
    for (std::size_t i = 0; i < labels.size(); ++i)
    {
        if (labels[i] < 0 || static_cast<std::size_t>(labels[i]) >= num_classes)
        {
            throw Error("cannot draw a subset: image " + std::to_string(i) + " has label " + std::to_string(labels[i]) +
                        ", but there are " + std::to_string(num_classes) + " classes; correct the labels");
        }
        members[static_cast<std::size_t>(labels[i])].push_back(i);
    }
    return members;
}

/// Draws `wanted(number of images)` images of every class.
template <typename Wanted>
std::vector<std::size_t> draw(std::span<const std::int64_t> labels, std::size_t num_classes, std::uint64_t seed,
                              Wanted wanted)
{
    std::vector<std::size_t> drawn;
    auto members = members_of_classes(labels, num_classes);
    for (std::size_t k = 0; k < num_classes; ++k)
    {
        std::vector<std::size_t>& images = members[k];
        const std::size_t number = wanted(images.size());
        if (number > images.size())
        {
            throw Error("cannot draw " + plural(number, "image") + " of class " + std::to_string(k) + ", which has " +
                        std::to_string(images.size()) + "; draw fewer per class");
        }
        // A generator of its own for each class; seeds and classes are mixed by one step.
        SplitMix random(SplitMix(seed).next() + k);
        for (std::size_t i = 0; i < number; ++i)
        {
            std::swap(images[i], images[i + random.below(images.size() - i)]);
        }
        drawn.insert(drawn.end(), images.begin(), images.begin() + static_cast<std::ptrdiff_t>(number));
    }
    std::sort(drawn.begin(), drawn.end());
    return drawn;
}
std::string read_text(const std::filesystem::path& path)
{
    std::string text = read_file(path);
    if (text.find('\0') != std::string::npos)
    {
        throw Error(path.string() + ": is not a text; name a file with one image a line");
    }
    // Some editors begin UTF-8 with a mark, which would be part of the first name.
    constexpr std::string_view mark = "\xef\xbb\xbf";
    return text.starts_with(mark) ? text.substr(mark.size()) : text;
}
}  // namespace

std::vector<std::size_t> read_subset(const std::filesystem::path& path, std::span<const std::string> names)
{
    std::istringstream lines(read_text(path));
    std::vector<std::size_t> indices;
    std::vector<bool> seen(names.size(), false);
    std::optional<Lookup> lookup;
    std::size_t number = 0;
    for (std::string line; std::getline(lines, line);)
    {
        ++number;
        const std::string_view word = trimmed(line);
        if (word.empty())
        {
            continue;
        }
        try
        {
            if (!lookup)
            {
                lookup.emplace(names, is_number(word));
            }
            const std::size_t index = lookup->find(word);
            if (seen[index])
            {
                throw Error("image '" + std::string(word) + "' comes twice; leave one of the lines out");
            }
            seen[index] = true;
            indices.push_back(index);
        }
        catch (const Error& error)
        {
            throw Error(path.string() + ", line " + std::to_string(number) + ": " + error.what());
        }
    }
    if (indices.empty())
    {
        throw Error(path.string() + ": names no image; write one image a line");
    }
    return indices;
}

std::string subset_text(std::span<const std::size_t> indices)
{
    std::string text;
    for (const std::size_t index : indices)
    {
        text += std::to_string(index) + "\n";
    }
    return text;
}

void write_subset(const std::filesystem::path& path, std::span<const std::size_t> indices)
{
    write_atomically(path, {subset_text(indices)});
}

std::vector<std::size_t> draw_subset_per_class(std::span<const std::int64_t> labels, std::size_t num_classes,
                                               std::size_t per_class, std::uint64_t seed)
{
    if (per_class == 0)
    {
        throw Error("cannot draw 0 images per class; draw one at least");
    }
    return draw(labels, num_classes, seed, [&](std::size_t) { return per_class; });
}

std::vector<std::size_t> draw_subset_fraction(std::span<const std::int64_t> labels, std::size_t num_classes,
                                              double fraction, std::uint64_t seed)
{
    if (!(fraction > 0 && fraction <= 1))
    {
        throw Error("cannot draw a fraction of " + std::to_string(fraction) + "; it must be above 0 and at most 1");
    }
    return draw(
        labels, num_classes, seed,
        [&](std::size_t count)
        { return std::max<std::size_t>(1, static_cast<std::size_t>(fraction * static_cast<double>(count) + 0.5)); });
}
}  // namespace paws::io
