#pragma once

#include <string>
#include <vector>

#include "src/config/config.hpp"

namespace paws::config
{
/// The keys ("section.key") by which two runs of the same task compute different things. Where results are written, how
/// often, and on how many threads does not count.
std::vector<std::string> differing_keys(const Config& a, const Config& b);
}  // namespace paws::config
