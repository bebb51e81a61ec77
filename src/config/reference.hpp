#pragma once

#include <string>

namespace paws::config
{
/// The page docs/configuration.md: every key with its type, unit, default, meaning and tasks, a table per section.
std::string reference_markdown();
}  // namespace paws::config
