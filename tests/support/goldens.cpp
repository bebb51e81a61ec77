#include "tests/support/goldens.hpp"

#include <cstdlib>

namespace paws::test
{
std::string golden_path(const std::string& file_name)
{
    const char* folder = std::getenv("PAWS_GOLDENS");
    return std::string(folder && *folder ? folder : PAWS_TEST_DATA) + "/" + file_name;
}
}  // namespace paws::test
