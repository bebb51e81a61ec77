#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace paws::config
{
/// How many letters must be changed, added, left out or swapped with their neighbour to turn `a` into `b`.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate that `word` was most likely meant to be, if one is near enough. Works on plain words and on
/// "section.key", where the key decides and the section only between equally near ones.
std::optional<std::string> nearest(const std::string& word, const std::vector<std::string>& candidates);

/// " (did you mean X?)", or nothing.
std::string did_you_mean(const std::string& word, const std::vector<std::string>& candidates);
}  // namespace paws::config
