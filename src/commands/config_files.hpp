#pragma once

#include "io/results/output_target.hpp"
#include "src/config/config.hpp"

namespace paws::commands
{
/// Adds the files that a configured task reads, and those that it writes on this rank, each under the setting that
/// names it, for io::require_outputs. `files` has its CONFIG already.
void add_config_files(const config::Config& config, int rank, io::CommandFiles& files);

/// The same of what it reads alone: a dry run writes nothing.
void add_config_inputs(const config::Config& config, io::CommandFiles& files);

/// Throws io::Error if a name that begins with logging.write_tag would be too long for logging.folder.
void require_tag_fits(const config::Config& config);
}  // namespace paws::commands
