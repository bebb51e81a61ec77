#pragma once

#include <string>

namespace paws::test
{
/// The path of a golden file: in the folder $PAWS_GOLDENS, or the copy that the repository holds (tests/inputs).
std::string golden_path(const std::string& file_name);
}  // namespace paws::test
