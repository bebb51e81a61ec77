#pragma once

#include <filesystem>

namespace paws::io
{
/// Gives the file `existing` the second name `name`, in the place of what is there, at one moment. Its bytes stand on
/// the disk once, so both must be written anew to change, as AtomicFile does. False where the file system has no such
/// links; throws SystemError for other failures.
bool hard_link(const std::filesystem::path& existing, const std::filesystem::path& name);
}  // namespace paws::io
