#pragma once

#include <string>
#include <vector>

#include "src/config/yaml_reader.hpp"

namespace paws::config
{
/// Puts every "section.key=value" in the place of what the document says, in order; the last one of a key wins.
/// The value is YAML: 0.1, true, null, [0.5, 1.0], some text. Throws Error for anything that is no such pair.
void apply_overrides(Document& document, const std::vector<std::string>& overrides);
}  // namespace paws::config
