#pragma once

#include <string>

#include "io/results/output_target.hpp"
#include "src/cli/commands.hpp"

namespace paws::cli
{
/// The files that the command line tells `command` (empty: a configured run) to read and to write, for
/// io::require_outputs.
io::CommandFiles files_of(const Arguments& arguments, const std::string& command);

/// Whether a configuration says more about the files, so that they are looked at when it has been read.
bool has_files_in_config(const std::string& command);
}  // namespace paws::cli
