#pragma once

#include <string>
#include <vector>

#include "src/config/config.hpp"

namespace paws::config
{
/// The keys ("section.key") by which two runs of the same task compute different things. Where results are written, how
/// often, and on how many threads does not count.
std::vector<std::string> differing_keys(const Config& a, const Config& b);

/// All keys that differ between two resolved configurations, as Config::to_yaml gives them: ranks that work together
/// have the same in all respects.
std::vector<std::string> differing_settings(const std::string& yaml, const std::string& other);
}  // namespace paws::config
