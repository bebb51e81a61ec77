#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

namespace paws::tasks
{
/// What a command did and the figures that it ended with, for scripts (`--summary FILE.json`).
using Summary = nlohmann::json;

/// Atomic; throws io::Error.
void write_summary(const std::filesystem::path& path, const Summary& summary);
}  // namespace paws::tasks
