#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <string_view>

#include "src/config/config.hpp"
#include "src/config/enums.hpp"
#include "src/config/keys.hpp"
#include "src/config/paths.hpp"

namespace paws::config
{
namespace
{
std::string to_scalar(bool value)
{
    return value ? "true" : "false";
}
std::string to_scalar(std::int64_t value)
{
    return std::to_string(value);
}

/// The shortest text that reads as the same number, with a point in it: YAML 1.1 takes 1e-06 for text.
std::string to_scalar(double value)
{
    std::string text = fmt::format("{}", value);
    if (text.find('.') == std::string::npos)
    {
        text.insert(std::min(text.find('e'), text.size()), ".0");
    }
    return text;
}

/// Whether every reader of YAML 1.1 and 1.2 takes the bare word for text: not for a number, a truth value or syntax.
bool is_plain_text(const std::string& value)
{
    constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    constexpr std::string_view others = "0123456789_/.-";
    const bool only_safe =
        std::all_of(value.begin(), value.end(),
                    [&](char c) { return letters.find(c) != letters.npos || others.find(c) != others.npos; });
    if (!only_safe || value.empty() || (letters.find(value.front()) == letters.npos && value.front() != '/'))
    {
        return false;
    }
    YAML::Node as_yaml(value);
    bool truth = false;
    return !YAML::IsNullString(value) && !YAML::convert<bool>::decode(as_yaml, truth);
}

std::string to_scalar(const std::string& value)
{
    if (is_plain_text(value))
    {
        return value;
    }
    YAML::Emitter quoted;
    quoted << YAML::DoubleQuoted << value;
    return quoted.c_str();
}

template <typename Enum>
requires std::is_enum_v<Enum> std::string to_scalar(Enum value)
{
    return word_from_enum(value);
}

template <typename T>
std::string to_value(const T& value)
{
    return to_scalar(value);
}

template <typename T>
std::string to_value(const std::optional<T>& value)
{
    return value ? to_scalar(*value) : "null";
}

template <typename List>
std::string to_list(const List& values)
{
    std::string text;
    for (const auto& value : values)
    {
        text += (text.empty() ? "" : ", ") + to_scalar(value);
    }
    return "[" + text + "]";
}

template <typename T, std::size_t N>
std::string to_value(const std::array<T, N>& values)
{
    return to_list(values);
}

template <typename T>
std::string to_value(const std::vector<T>& values)
{
    return to_list(values);
}

/// What reads as this path.
std::string to_path(const std::string& path)
{
    return to_scalar(written_path(path));
}

std::string to_path(const std::optional<std::string>& path)
{
    return path ? to_path(*path) : "null";
}

template <typename T>
std::string to_path(const T& value)
{
    return to_value(value);
}
}  // namespace

std::string Config::to_yaml() const
{
    std::string yaml = "task: " + word_from_enum(task) + "\n";
    std::string open_section;
    for_each_key(*this,
                 [&](const std::string& key, const auto& member, TaskSet tasks)
                 {
                     if (!tasks.contains(task))
                     {
                         return;
                     }
                     const auto dot = key.find('.');
                     if (key.substr(0, dot) != open_section)
                     {
                         open_section = key.substr(0, dot);
                         yaml += open_section + ":\n";
                     }
                     yaml +=
                         "  " + key.substr(dot + 1) + ": " + (is_path(key) ? to_path(member) : to_value(member)) + "\n";
                 });
    return yaml;
}
}  // namespace paws::config
