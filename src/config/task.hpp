#pragma once

#include <string>

#include "src/config/yaml_reader.hpp"

namespace paws::config
{
/// What to run: `selected` (from --sel; may be empty), else the document's `task`, else what its keys can only mean.
/// A training run's file may be selected for snn_eval and embed; any other contradiction throws Error, and so does a
/// file that leaves it open.
Task decide_task(const Document& document, const std::string& selected);

/// For errors about a file that is to be run as `task`: "; optimization.zero_init is a key of fine_tune" where its keys
/// are those of another task, else nothing.
std::string hint_of_other_task(const Document& document, Task task);
}  // namespace paws::config
