#pragma once

#include <string>
#include <string_view>

#include "src/config/config.hpp"
#include "src/config/yaml_reader.hpp"

namespace paws::config
{
/// Whether the value of "section.key" is a path, in which ~ and $NAME mean what they mean in a shell.
bool is_path(std::string_view key);

/// As a shell reads it: ~ and ~USER at the beginning are home folders, $NAME and ${NAME} are variables; a backslash
/// before ~, $ or another one makes a character of it, and a $ that no name follows is one. Throws Error for a user
/// that does not exist, a variable that is not set or empty, and what only a shell can do.
std::string expanded_path(const std::string& text);

/// The text that expanded_path reads as `path`.
std::string written_path(const std::string& path);

/// Expands the paths that the document gives. Throws Error that names place and key.
void expand_paths(Config& config, const Document& document);
}  // namespace paws::config
