#pragma once

#include <string>

namespace paws::config
{
/// Throws Error where a configuration is expected and `path` is a folder, or a file that is no text: says what it is,
/// and which command takes it. Nothing is said of one that is not there or cannot be read.
void refuse_other_files(const std::string& path);
}  // namespace paws::config
