#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace paws::cli
{
/// What to say of a command line whose first word, `word`, was taken for a configuration and is neither the name of a
/// file nor that of a command, as in `paws_hpc train x.yaml` and `paws_hpc snn_eval`; nothing where it may be a file.
std::string wrong_command(const CLI::App& app, const std::string& word, int argc, char** argv);

/// " (did you mean --resume?)" for the first option that neither the program nor the command has, or nothing.
std::string wrong_option(const CLI::App& app, int argc, char** argv);
}  // namespace paws::cli
