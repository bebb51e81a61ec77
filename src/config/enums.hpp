#pragma once

// The words that stand for enumerators in YAML files and on the command line.

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "src/config/task_traits.hpp"

namespace paws::config
{
/// Word and meaning, one row each; specialised for every enumeration of the configuration.
template <typename Enum>
inline constexpr auto words_of = nullptr;

template <>
inline constexpr auto words_of<Task> = []
{
    std::array<std::pair<const char*, Task>, task_table.size()> words{};
    std::transform(task_table.begin(), task_table.end(), words.begin(),
                   [](const TaskTraits& row) { return std::pair(row.word, row.task); });
    return words;
}();

template <>
inline constexpr auto words_of<Precision> = std::to_array<std::pair<const char*, Precision>>({
    {"auto", Precision::automatic},
    {"fp32", Precision::fp32},
    {"bf16", Precision::bf16},
    {"fp16", Precision::fp16},
    {"fp64", Precision::fp64},
});

template <>
inline constexpr auto words_of<Convolution> = std::to_array<std::pair<const char*, Convolution>>({
    {"auto", Convolution::automatic},
    {"direct", Convolution::direct},
    {"winograd", Convolution::winograd},
});

template <>
inline constexpr auto words_of<Embedding> = std::to_array<std::pair<const char*, Embedding>>({
    {"backbone", Embedding::backbone},
    {"projection", Embedding::projection},
    {"prediction", Embedding::prediction},
});

template <>
inline constexpr auto words_of<Dataset> = std::to_array<std::pair<const char*, Dataset>>({
    {"cifar10", Dataset::cifar10},
    {"cifar10_fine_tune", Dataset::cifar10_fine_tune},
    {"imagenet", Dataset::imagenet},
    {"imagenet_fine_tune", Dataset::imagenet_fine_tune},
    {"hdf5", Dataset::hdf5},
    {"folder", Dataset::folder},
    {"synthetic", Dataset::synthetic},
});

template <>
inline constexpr auto words_of<AugmentOn> = std::to_array<std::pair<const char*, AugmentOn>>({
    {"auto", AugmentOn::automatic},
    {"host", AugmentOn::host},
    {"device", AugmentOn::device},
});

template <typename Enum>
std::optional<Enum> enum_from_word(const std::string& word)
{
    const auto& words = words_of<Enum>;
    const auto found = std::find_if(words.begin(), words.end(), [&](const auto& row) { return row.first == word; });
    return found == words.end() ? std::nullopt : std::optional(found->second);
}

template <typename Enum>
std::string word_from_enum(Enum value)
{
    const auto& words = words_of<Enum>;
    return std::find_if(words.begin(), words.end(), [&](const auto& row) { return row.second == value; })->first;
}

template <typename Enum>
std::vector<std::string> all_words()
{
    std::vector<std::string> words;
    for (const auto& row : words_of<Enum>)
    {
        words.emplace_back(row.first);
    }
    return words;
}

/// "a, b, c", for messages.
template <typename Enum>
std::string listed_words()
{
    std::string list;
    for (const auto& row : words_of<Enum>)
    {
        list += (list.empty() ? "" : ", ") + std::string(row.first);
    }
    return list;
}
}  // namespace paws::config
