#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "src/commands/summary.hpp"

namespace paws::commands
{
/// A configuration that comes with the program.
struct ShippedConfig
{
    std::string name;  ///< relative to its folder: "paws/imgnt_train.yaml"
    std::filesystem::path path;
    std::string about;  ///< what the comment at its beginning says first, one line
};

/// The folder of the configurations that come with the program: share/paws_hpc/configs beside the bin/ that it runs
/// from, else that of the source tree that it was built from. Empty if neither is there.
std::filesystem::path shipped_configs_folder();

/// All of a folder, in the order of their names. Throws io::Error if it cannot be read.
std::vector<ShippedConfig> shipped_configs(const std::filesystem::path& folder);

/// The first sentence of the comment at the beginning of a YAML file, up to its first colon, semicolon or full stop.
std::string first_comment(const std::string& yaml);

/// Of `all`, those that `name` may mean: "imgnt_train.yaml", "paws/imgnt_train.yaml", "configs/paws/imgnt_train.yaml".
std::vector<ShippedConfig> configs_named(const std::vector<ShippedConfig>& all, const std::string& name);

/// What the user gave as configuration, and what is read for it.
struct FoundConfig
{
    std::string path;
    std::string note;  ///< what the user should know, one line; empty where the path is as it was given
};

/// `given` if it is there or is no bare or relative name of a YAML file, or if no configuration of the program has this
/// name; else the one that has: of several, the only one of `task` (what --sel says; empty: paws_train). Throws
/// config::Error that lists the candidates where that leaves several or none.
FoundConfig find_config(const std::string& given, const std::string& task);

/// Prints the configurations that come with the program, a line each. Throws config::Error where there are none.
Summary list_configs();

/// Copies the one of this name into the working folder. Throws config::Error if it is not known, or several have this
/// name; io::Error if the file is there already or cannot be written.
Summary copy_config(const std::string& name);
}  // namespace paws::commands
