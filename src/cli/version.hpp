#pragma once

#include <string>

namespace paws::cli
{
/// Versions and backends, a line each, for `paws_hpc --version` and bug reports.
std::string version_text();

/// What ranks that work together must have in common, one line: "paws_hpc 0.1.0 with LibTorch 2".
std::string version_identity();
}  // namespace paws::cli
