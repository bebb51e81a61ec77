#pragma once

#include <filesystem>

#include "src/comm/world.hpp"
#include "src/commands/evaluation.hpp"
#include "src/commands/summary.hpp"
#include "src/config/config.hpp"

namespace paws::commands
{
/// Where the task embed writes: embed.file in logging.folder, or TAG-embeddings.h5 there.
std::filesystem::path embeddings_path(const config::Config& config);

/// Collective: embeds the images of embed.split (data.validation_split without it) as the section `embed` says, all
/// ranks their share, and writes one `paws-embeddings` file (see io/results/embeddings_file.hpp), a batch at a time.
/// The network is the checkpoint's, all else is the configuration's. Throws io::Error or config::Error.
Summary embed(const Pretrained& pretrained, const config::Config& config, const std::filesystem::path& output,
              const comm::World& world = {});
}  // namespace paws::commands
