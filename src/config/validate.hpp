#pragma once

#include "src/config/yaml_reader.hpp"

namespace paws::config
{
/// Throws Error for the first key that the task needs and the document does not give.
void check_required(const Document& document, Task task);

/// Throws Error for the first impossible value, with its place in `document` and what would be possible.
void check_values(const Config& config, const Document& document);

/// Whether a configuration of `task` must give `key`, whatever else it says.
bool is_required(const std::string& key, Task task);
}  // namespace paws::config
