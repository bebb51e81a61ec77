#pragma once

// Values as YAML, which reads as the same value.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "src/config/enums.hpp"

namespace paws::config
{
std::string to_scalar(bool value);
std::string to_scalar(std::int64_t value);
/// The shortest text that reads as the same number, with a point in it: YAML 1.1 takes 1e-06 for text.
std::string to_scalar(double value);
/// In quotes where something else would be read.
std::string to_scalar(const std::string& value);

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
}  // namespace paws::config
