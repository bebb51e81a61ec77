#pragma once

#include <string>

namespace paws::cli
{
/// Versions and backends, a line each, for `paws_hpc --version` and bug reports.
std::string version_text();
}  // namespace paws::cli
