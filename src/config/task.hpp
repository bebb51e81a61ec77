#pragma once

#include <string>

#include "src/config/yaml_reader.hpp"

namespace paws::config
{
/// What to run: `selected` (from --sel; may be empty), else the document's `task`, else what its keys can only mean.
/// A training run's file may be selected for snn_eval and embed; any other contradiction throws Error, and so does a
/// file that leaves it open.
Task decide_task(const Document& document, const std::string& selected);
}  // namespace paws::config
