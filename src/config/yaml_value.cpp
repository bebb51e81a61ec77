#include "src/config/yaml_value.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <string_view>

namespace paws::config
{
namespace
{
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

}  // namespace

std::string to_scalar(bool value)
{
    return value ? "true" : "false";
}

std::string to_scalar(std::int64_t value)
{
    return std::to_string(value);
}

std::string to_scalar(double value)
{
    std::string text = fmt::format("{}", value);
    if (text.find('.') == std::string::npos)
    {
        text.insert(std::min(text.find('e'), text.size()), ".0");
    }
    return text;
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
}  // namespace paws::config
