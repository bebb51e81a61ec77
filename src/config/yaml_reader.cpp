#include "src/config/yaml_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <type_traits>

#include "io/base/printable.hpp"
#include "io/files/read_file.hpp"
#include "src/config/enums.hpp"
#include "src/config/file_kind.hpp"
#include "src/config/keys.hpp"
#include "src/config/nearest.hpp"

namespace paws::config
{
namespace
{
std::string place(const std::string& name, const YAML::Mark& mark)
{
    return mark.is_null() ? name : fmt::format("{}:{}", name, mark.line + 1);
}

bool is_quoted(const YAML::Node& node)
{
    return node.Tag() == "!";
}

/// What is there, for messages.
std::string describe(const YAML::Node& node)
{
    switch (node.Type())
    {
        case YAML::NodeType::Scalar:
            return is_quoted(node) ? fmt::format("the text \"{}\"", node.Scalar()) : "'" + node.Scalar() + "'";
        case YAML::NodeType::Sequence:
            return "a list";
        case YAML::NodeType::Map:
            return "a section";
        default:
            return "nothing (null)";
    }
}

/// A key and its value, in a section or at the top level.
struct Item
{
    YAML::Node key;
    YAML::Node value;
};

/// Of all sections: one may merge itself, or many that merge many.
constexpr int most_merges = 1000;

std::vector<Item> items_of(const YAML::Node& map, const std::string& name, int& merges_left);

/// Adds the keys of a merged section that are not there yet.
void add_merged(const YAML::Node& map, const std::string& where, const std::string& name, int& merges_left,
                std::vector<Item>& items)
{
    if (!map.IsMap() || merges_left-- == 0)
    {
        fail(where, "<<",
             map.IsMap() ? "more than 1000 sections are merged; does one merge itself?"
                         : fmt::format("expected a section to merge, such as *NAME of one marked &NAME, or a list of "
                                       "such, found {}",
                                       describe(map)));
    }
    for (auto& item : items_of(map, name, merges_left))
    {
        const bool is_there = std::any_of(items.begin(), items.end(),
                                          [&](const Item& other) { return other.key.Scalar() == item.key.Scalar(); });
        if (!is_there)
        {
            items.push_back(std::move(item));
        }
    }
}

/// What a map holds, with what it merges by `<<`: of a key that is there twice, its own goes first, then the first
/// merged one. yaml-cpp leaves that to its users.
std::vector<Item> items_of(const YAML::Node& map, const std::string& name, int& merges_left)
{
    std::vector<Item> items, merges;
    for (const auto& item : map)
    {
        const bool merges_others = item.first.IsScalar() && item.first.Scalar() == "<<" && !is_quoted(item.first);
        (merges_others ? merges : items).push_back({item.first, item.second});
    }
    for (const Item& merge : merges)
    {
        const auto where = place(name, merge.key.Mark());
        if (!merge.value.IsSequence())
        {
            add_merged(merge.value, where, name, merges_left, items);
            continue;
        }
        for (const auto& map_of_list : merge.value)
        {
            add_merged(map_of_list, where, name, merges_left, items);
        }
    }
    return items;
}

std::vector<Item> items_of(const YAML::Node& map, const std::string& name)
{
    int merges_left = most_merges;
    return items_of(map, name, merges_left);
}

[[noreturn]] void fail_type(const Entry& entry, const std::string& expected)
{
    fail(entry.where, entry.key, fmt::format("expected {}, found {}", expected, describe(entry.value)));
}

/// The letters of a value written without quotes.
const std::string& plain_scalar(const Entry& entry, const std::string& expected)
{
    if (!entry.value.IsScalar() || is_quoted(entry.value))
    {
        fail_type(entry, expected);
    }
    return entry.value.Scalar();
}

template <typename Number>
Number parse_number(const Entry& entry, const std::string& expected)
{
    std::string_view text = plain_scalar(entry, expected);
    if (text.starts_with('+'))
    {
        text.remove_prefix(1);
    }
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc::result_out_of_range && std::is_integral_v<Number>)
    {
        fail(entry.where, entry.key,
             fmt::format("expected {}, found {}; the least is {}, the largest {}", expected, describe(entry.value),
                         std::numeric_limits<Number>::min(), std::numeric_limits<Number>::max()));
    }
    if (error != std::errc{} || end != text.data() + text.size())
    {
        fail_type(entry, expected);
    }
    return number;
}

template <typename Enum>
Enum parse_enum(const Entry& entry)
{
    const auto words = all_words<Enum>();
    const std::string expected = "one of " + listed_words<Enum>();
    if (!entry.value.IsScalar())
    {
        fail_type(entry, expected);
    }
    const auto& word = entry.value.Scalar();
    const auto value = enum_from_word<Enum>(word);
    if (!value)
    {
        fail(entry.where, entry.key,
             fmt::format("expected {}, found '{}'{}", expected, word, did_you_mean(word, words)));
    }
    return *value;
}
}  // namespace

void fail(const std::string& where, const std::string& key, const std::string& message)
{
    throw Error(fmt::format("{}: {}: {}", where, key, message));
}

Document Document::from_file(const std::string& path)
{
    if (!io::is_there(path))
    {
        throw Error(path + ": there is no such configuration file; check the path, or choose one of paws_hpc configs");
    }
    refuse_other_files(path);
    // A pipe too: settings are often made by another program.
    const auto text = io::read_file_or_pipe(path);
    if (text.empty())
    {
        throw Error(path + ": is empty; name a configuration");
    }
    return from_text(text, path);
}

Document Document::from_text(const std::string& text, const std::string& name)
{
    std::vector<YAML::Node> documents;
    try
    {
        documents = YAML::LoadAll(text);
    }
    catch (const YAML::Exception& error)
    {
        throw Error(place(name, error.mark) + ": not YAML: " + error.msg);
    }
    if (documents.size() != 1 || !documents.front().IsMap())
    {
        throw Error(name + ": expected one YAML document made of sections (meta, criterion, data, ...)");
    }

    Document document;
    document.name_ = name;
    for (const Item& item : items_of(documents.front(), name))
    {
        const auto key = item.key.as<std::string>("");
        if (key.starts_with("x-"))
        {
            // By the custom of other programs' files: kept for sections that merge it.
            continue;
        }
        if (item.value.IsMap())
        {
            document.add_section(key, item.value);
        }
        else if (is_section(key) && !item.value.IsNull())
        {
            fail(place(name, item.key.Mark()), key, "expected a section with keys, found " + describe(item.value));
        }
        else if (!is_section(key))
        {
            document.add({key, item.value, place(name, item.key.Mark())});
        }
    }
    return document;
}

void Document::add_section(const std::string& section, const YAML::Node& values)
{
    for (const Item& item : items_of(values, name_))
    {
        add({section + "." + item.key.as<std::string>(""), item.value, place(name_, item.key.Mark())});
    }
}

void Document::add(Entry entry)
{
    if (const Entry* earlier = find(entry.key))
    {
        fail(entry.where, entry.key, fmt::format("given twice, first at {}; remove one", earlier->where));
    }
    entries_.push_back(std::move(entry));
}

void Document::set(Entry entry)
{
    const auto found =
        std::find_if(entries_.begin(), entries_.end(), [&](const Entry& other) { return other.key == entry.key; });
    if (found == entries_.end())
    {
        entries_.push_back(std::move(entry));
        return;
    }
    *found = std::move(entry);
}

void Document::move(const std::string& from, const std::string& to)
{
    const Entry* const given = find(from);
    if (given == nullptr)
    {
        return;
    }
    if (has(to))
    {
        fail(given->where, from, "is the published name of " + to + ", which is given as well; leave one out");
    }
    entries_[static_cast<std::size_t>(given - entries_.data())].key = to;
}

const Entry* Document::find(const std::string& key) const
{
    const auto found =
        std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.key == key; });
    return found == entries_.end() ? nullptr : &*found;
}

std::string Document::where(const std::string& key) const
{
    const Entry* entry = find(key);
    return entry ? entry->where : name_;
}

void read_value(const Entry& entry, bool& value)
{
    const std::string expected = "true or false";
    const std::string& text = plain_scalar(entry, expected);
    // YAML 1.1 also has y and n, which nobody writes on purpose for a switch.
    if (text.size() < 2 || !YAML::convert<bool>::decode(entry.value, value))
    {
        fail_type(entry, expected);
    }
}

void read_value(const Entry& entry, std::int64_t& value)
{
    value = parse_number<std::int64_t>(entry, "a whole number");
}

void read_value(const Entry& entry, double& value)
{
    value = parse_number<double>(entry, "a number");
    if (!std::isfinite(value))
    {
        fail_type(entry, "a finite number");
    }
}

void read_value(const Entry& entry, std::string& value)
{
    if (!entry.value.IsScalar())
    {
        fail_type(entry, "text");
    }
    value = entry.value.Scalar();
    if (io::as_utf8(value) != value)
    {
        fail(entry.where, entry.key,
             fmt::format("'{}' is not UTF-8, as YAML is; save the file as UTF-8, or give a file of such a name "
                         "another one (a link will do)",
                         value));
    }
}

void read_value(const Entry& entry, Task& value)
{
    value = parse_enum<Task>(entry);
}
void read_value(const Entry& entry, Precision& value)
{
    value = parse_enum<Precision>(entry);
}
void read_value(const Entry& entry, Dataset& value)
{
    value = parse_enum<Dataset>(entry);
}
void read_value(const Entry& entry, Embedding& value)
{
    value = parse_enum<Embedding>(entry);
}
void read_value(const Entry& entry, Convolution& value)
{
    value = parse_enum<Convolution>(entry);
}

void read_value(const Entry& entry, AugmentOn& value)
{
    value = parse_enum<AugmentOn>(entry);
}
}  // namespace paws::config
