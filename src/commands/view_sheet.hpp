#pragma once

#include <cstdint>
#include <filesystem>

#include "src/commands/summary.hpp"
#include "src/config/config.hpp"

namespace paws::commands
{
/// `paws_hpc views`: draws what training sees. A row for each of `images` of the training split, drawn with
/// meta.seed: the image (its view of evaluation), its two large and its small views of the first epoch, not
/// normalised; small views are enlarged by a whole number. Fewer rows where the split has fewer images. Throws
/// config::Error if the task makes no training views, or `images` is not from 1 to 100.
Summary view_sheet(const config::Config& config, std::int64_t images, const std::filesystem::path& output);
}  // namespace paws::commands
