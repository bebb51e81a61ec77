#pragma once

// Words that descriptions of files are made of.

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "io/base/printable.hpp"

namespace paws::io
{
/// "a, b, c" or, if they are many, the first few.
inline std::string listed(const std::vector<std::string>& words)
{
    constexpr std::size_t most = 10;
    std::string text;
    for (std::size_t i = 0; i < std::min(words.size(), most); ++i)
    {
        text += (i == 0 ? "" : ", ") + printable(words[i]);
    }
    return text + (words.size() > most ? ", ..." : "");
}

/// The last line of a description.
inline const char* verdict(bool all_have_checksums)
{
    return all_have_checksums ? "whole: all checksums match\n" : "readable; it has no checksums for its images\n";
}
}  // namespace paws::io
