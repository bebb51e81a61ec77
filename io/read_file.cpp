#include "io/read_file.hpp"

#include <fstream>
#include <iterator>

#include "io/error.hpp"

namespace paws::io
{
void require_file(const std::filesystem::path& path)
{
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error))
    {
        throw Error(path.string() + ": there is no such file; check the path");
    }
}

std::string read_file(const std::filesystem::path& path)
{
    require_file(path);
    std::ifstream stream(path, std::ios::binary);
    std::string bytes(std::istreambuf_iterator<char>(stream), {});
    if (!stream)
    {
        throw Error(path.string() + ": cannot be read; check its permissions");
    }
    return bytes;
}
}  // namespace paws::io
