#include "src/config/nearest.hpp"

#include <algorithm>
#include <utility>

namespace paws::config
{
namespace
{
struct SplitKey
{
    explicit SplitKey(std::string_view key)
        : section(key.substr(0, key.rfind('.') + 1)), name(key.substr(section.size()))
    {
    }
    std::string_view section;  // with its dot; empty without one
    std::string_view name;
};

/// The names decide; between equally near ones, the sections do.
std::pair<std::size_t, std::size_t> key_distance(std::string_view word, std::string_view candidate)
{
    const SplitKey a(word);
    const SplitKey b(candidate);
    return {edit_distance(a.name, b.name), edit_distance(a.section, b.section)};
}
}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b)
{
    // Three rows of the table of distances between prefixes: a swap looks back two.
    std::vector<std::size_t> before(b.size() + 1);
    std::vector<std::size_t> above(b.size() + 1);
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j)
    {
        row[j] = j;
    }
    for (std::size_t i = 1; i <= a.size(); ++i)
    {
        before.swap(above);
        above.swap(row);
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j)
        {
            row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
            {
                row[j] = std::min(row[j], before[j - 2] + 1);
            }
        }
    }
    return row[b.size()];
}

std::optional<std::string> nearest(const std::string& word, const std::vector<std::string>& candidates)
{
    const auto best = std::min_element(candidates.begin(), candidates.end(),
                                       [&](const std::string& a, const std::string& b)
                                       { return key_distance(word, a) < key_distance(word, b); });
    const std::size_t tolerance = std::max<std::size_t>(1, SplitKey(word).name.size() / 3);
    if (best == candidates.end() || key_distance(word, *best).first > tolerance)
    {
        return std::nullopt;
    }
    return *best;
}

std::string did_you_mean(const std::string& word, const std::vector<std::string>& candidates)
{
    const auto guess = nearest(word, candidates);
    return guess ? " (did you mean " + *guess + "?)" : "";
}
}  // namespace paws::config
